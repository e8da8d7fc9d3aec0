// An upstream that plays a login script to its end.
import type { TlsMode } from "../../shared/lookup.ts";
import type { Account, ClientInfo, LoginEnd, LoginScript } from "../../proxy/protocols/index.ts";
import type { ProtocolClient } from "./protocol-client.ts";

export type Played = {
  /** What was sent after the greeting, one item for each line that was waited for; `<tls>` for a handshake. */
  readonly sent: readonly string[];
  /** Null while the script wants more lines. */
  readonly end: LoginEnd | null;
};

export const anna: Account = { login: "anna", password: "secret", bearer: null };

export const client: ClientInfo = {
  address: "192.0.2.9",
  port: 51234,
  host: "[UNAVAILABLE]",
  local: { host: "192.0.2.1", port: 143 },
  session: "f00",
};

/** @param lines of the upstream, without CRLF */
function play(script: LoginScript, lines: readonly string[]): Played {
  const sent: string[] = [];
  const next = (line?: string): ReturnType<LoginScript["next"]> => {
    const result = line === undefined ? script.next() : script.next(line);
    if (result.done === true || result.value === "more") return result;
    sent.push(result.value === "tls" ? "<tls>" : result.value.text);
    return result.value === "tls" ? next("") : result;
  };
  let result = next();
  for (const line of lines) {
    if (result.done === true) throw new Error(`the script ended before ${JSON.stringify(line)}`);
    result = next(`${line}\r\n`);
  }
  return { sent, end: result.done === true ? result.value : null };
}

/** Logs this client in upstream, which says these lines. */
export function logIn(
  { handler }: ProtocolClient,
  lines: readonly string[],
  account: Partial<Account> = {},
  tls: TlsMode = "off",
  facts: Partial<ClientInfo> = {},
): Played {
  return play(handler.login({ ...anna, ...account }, { ...client, ...facts }, tls), lines);
}
