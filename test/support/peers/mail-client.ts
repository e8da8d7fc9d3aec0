// Steps of a mail client: connect, read the greeting, start TLS, log in. Each step asserts its result.
import assert from "node:assert/strict";
import { connect as connectSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { secret } from "../secrets.ts";
import { Hangup, Wire } from "./wire.ts";

export const protocolNames: readonly ProtocolName[] = ["imap", "pop3", "smtp"];

export const anna = { login: "anna@example.test", password: secret("s3cret-of-anna") };

const GREETING = { imap: /^\* OK /, pop3: /^\+OK/, smtp: /^220 / };
const STARTTLS = { imap: "t STARTTLS", pop3: "STLS", smtp: "STARTTLS" };
const GO_AHEAD = { imap: /^t OK /, pop3: /^\+OK/, smtp: /^220 / };

/** The answers that a login may get. */
export const granted = { imap: /^a OK /, pop3: /^\+OK/, smtp: /^235 / };
export const temporary = {
  imap: /^a NO \[UNAVAILABLE\] /,
  pop3: /^-ERR \[SYS\/TEMP\] /,
  smtp: /^4\d\d 4\.\d\.\d /,
};

/** Connects, and reads the greeting. */
export async function greeted(protocol: ProtocolName, port: number): Promise<Wire> {
  const wire = new Wire(connectSocket(port, "127.0.0.1"));
  assert.match(await wire.line(), GREETING[protocol]);
  return wire;
}

/** Connects with TLS from the first byte, and reads the greeting. */
export async function greetedSecurely(protocol: ProtocolName, port: number): Promise<Wire> {
  const wire = new Wire(
    connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, servername: "mail.test" }),
  );
  assert.match(await wire.line(), GREETING[protocol]);
  return wire;
}

/** Connects, and begins TLS by STARTTLS. */
export async function upgraded(protocol: ProtocolName, port: number): Promise<Wire> {
  const socket = connectSocket(port, "127.0.0.1");
  const clear = new Wire(socket);
  assert.match(await clear.line(), GREETING[protocol]);
  clear.write(`${STARTTLS[protocol]}\r\n`);
  assert.match(await clear.line(), GO_AHEAD[protocol]);
  return new Wire(connectTls({ socket, rejectUnauthorized: false, servername: "mail.test" }));
}

/** Tries to log in, and returns the answer. */
export async function attempt(
  protocol: ProtocolName,
  wire: Wire,
  { login, password }: typeof anna = anna,
): Promise<string> {
  secret(password);
  switch (protocol) {
    case "imap":
      wire.write(`a LOGIN ${login} ${password}\r\n`);
      break;
    case "pop3":
      wire.write(`USER ${login}\r\n`);
      assert.match(await wire.line(), /^\+OK/);
      wire.write(`PASS ${password}\r\n`);
      break;
    case "smtp":
      wire.write(`AUTH PLAIN ${btoa(`\0${login}\0${password}`)}\r\n`);
      break;
  }
  return wire.line();
}

export async function loggedIn(protocol: ProtocolName, port: number): Promise<Wire> {
  const wire = await greeted(protocol, port);
  assert.match(await attempt(protocol, wire), granted[protocol]);
  return wire;
}

/** Waits for the end of the connection; returns all lines up to it. */
export async function untilClosed(wire: Wire): Promise<string[]> {
  const lines: string[] = [];
  try {
    for (;;) lines.push(await wire.line());
  } catch (error) {
    if (!(error instanceof Hangup)) throw error;
    return lines;
  }
}
