// An upstream that plays a login script to its end.
import assert from "node:assert/strict";
import { Input, START_TLS, type Script } from "../../../proxy/transport/index.ts";
import type { TlsMode } from "../../../shared/lookup.ts";
import type { Account, ClientInfo, LoginEnd } from "../../../proxy/protocols/index.ts";
import type { ProtocolClient } from "./protocol-client.ts";

export type Played = {
  /** The texts that the script sent, one after another; `<tls>` for a handshake. */
  readonly sent: readonly string[];
  /** The notes of the commands, for the log. */
  readonly notes: readonly (string | undefined)[];
  /** Null while the script waits for more lines. */
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

/** @param pieces of the upstream's bytes; each arrives when the script waits for more */
function play(script: Script<LoginEnd>, input: Input, pieces: readonly string[]): Played {
  const sent: string[] = [];
  const notes: (string | undefined)[] = [];
  const arriving = [...pieces];
  for (;;) {
    const { done, value } = script.next();
    if (done === true) {
      if (arriving.length > 0) throw new Error(`the script ended before ${arriving.join("")}`);
      return { sent, notes, end: value };
    }
    if (value === null) {
      const piece = arriving.shift();
      if (piece === undefined) return { sent, notes, end: null };
      input.append(Buffer.from(piece, "latin1"));
    } else if (value === START_TLS) {
      assert.equal(input.length, 0, "bytes before the handshake");
      sent.push("<tls>");
    } else {
      assert.ok(typeof value === "object" && "text" in value, "a command with a name");
      sent.push(value.text);
      notes.push(value.note);
    }
  }
}

/**
 * Logs this client in at an upstream that sends these lines. Bytes that arrive one by one must lead to the same.
 *
 * @param lines without CRLF
 * @throws what the script throws
 */
export function logIn(
  { handler }: ProtocolClient,
  lines: readonly string[],
  account: Partial<Account> = {},
  tls: TlsMode = "off",
  info: Partial<ClientInfo> = {},
): Played {
  const started = (pieces: readonly string[]): Played => {
    const input = new Input();
    const script = handler.login({ ...anna, ...account }, { ...client, ...info }, tls, input);
    return play(script, input, pieces);
  };
  const pieces = lines.map((line) => `${line}\r\n`);
  const bytes = pieces.join("").split("");
  let played: Played;
  try {
    played = started(pieces);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.throws(() => started(bytes), error);
    throw error;
  }
  assert.deepEqual(started(bytes), played);
  return played;
}
