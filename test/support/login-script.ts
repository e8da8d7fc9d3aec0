// An upstream that plays a login script to its end.
import type { Account, LoginEnd, LoginScript } from "../../proxy/protocols/index.ts";
import type { DialogueClient } from "./dialogue.ts";

export type Played = {
  /** What was sent after the greeting, one item for each line that was waited for. */
  readonly sent: readonly string[];
  /** Null while the script wants more lines. */
  readonly end: LoginEnd | null;
};

/** @param lines of the upstream, without CRLF */
function play(script: LoginScript, lines: readonly string[]): Played {
  const sent: string[] = [];
  let result = script.next();
  for (const line of lines) {
    if (result.done === true) throw new Error(`the script ended before ${JSON.stringify(line)}`);
    if (result.value !== null) sent.push(result.value.text);
    result = script.next(`${line}\r\n`);
  }
  if (result.done === true) return { sent, end: result.value };
  if (result.value !== null) sent.push(result.value.text);
  return { sent, end: null };
}

/** Logs this client in upstream, which says these lines. */
export function logIn(client: DialogueClient, lines: readonly string[], account?: Account): Played {
  const { dialogue } = client;
  const anna = account ?? { login: "anna", password: "secret" };
  return play(dialogue.login(anna, { address: "192.0.2.9", host: "[UNAVAILABLE]" }), lines);
}
