/** Getting past the greeting of an SMTP upstream, and logging in there if it is to be. */
import { unixPath } from "../../../shared/address.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import type { ServerSettings } from "../../config/index.ts";
import type { Account, ClientFacts, LoginScript } from "../protocol.ts";
import { encodeBase64 } from "../sasl.ts";

/** A client's EHLO or HELO. */
export interface Hello {
  readonly verb: "EHLO" | "HELO";
  readonly name: ByteString;
}

/** How the client spoke: its last introduction, and whether it ever used EHLO. */
interface Introduction {
  readonly hello: Hello | null;
  readonly extended: boolean;
}

/** With `smtp_auth none`: the commands that led to the lookup, to be said again. */
interface Transaction {
  readonly from: ByteString;
  readonly to: ByteString;
}

/**
 * EHLO; with `xclient` XCLIENT and the client's own EHLO again; then the transaction of a client that did
 * not log in, or with `proxy_smtp_auth` AUTH PLAIN. A client that logged in hears an answer of our own: an
 * upstream that is not asked to authenticate has none to give.
 */
export function* login(
  account: Account,
  client: ClientFacts,
  { server_name, xclient, proxy_smtp_auth }: ServerSettings,
  { hello, extended }: Introduction,
  transaction: Transaction | null,
): LoginScript {
  const said: [text: ByteString, wants: readonly string[]][] = [
    ["", ["220"]],
    [`${extended || xclient ? "EHLO" : "HELO"} ${server_name}\r\n`, ["250"]],
  ];
  if (xclient) {
    const user = proxy_smtp_auth ? "" : account.login;
    said.push([xclientCommand(client, user), ["220", "250"]]);
    if (hello !== null) said.push([`${hello.verb} ${hello.name}\r\n`, ["250"]]);
  }
  if (transaction !== null) said.push([`${transaction.from}\r\n`, ["250"]]);
  else if (proxy_smtp_auth) {
    const response = encodeBase64(`\0${account.login}\0${account.password ?? ""}`);
    said.push([`AUTH PLAIN ${response}\r\n`, ["235"]]);
  }
  for (const [text, wants] of said) {
    const answer = yield* reply(text);
    if (!wants.includes(answer.code)) return { kind: "refused", reply: answer.text };
  }
  if (transaction === null) return { kind: "accepted", reply: "235 2.0.0 OK\r\n" };
  // Whatever the upstream says of the recipient, it says to the client.
  const { text } = yield* reply(`${transaction.to}\r\n`);
  return { kind: "accepted", reply: text };
}

/** Postfix's XCLIENT: what the upstream should take for the client's address, name and login. */
function xclientCommand({ address, host }: ClientFacts, user: ByteString): ByteString {
  const named = user === "" ? "" : ` LOGIN=${xtext(user)}`;
  return `XCLIENT ADDR=${xclientAddress(address)}${named} NAME=${host}\r\n`;
}

/** nginx says `unix:` of a client by a unix socket, at which Postfix would end the login. */
function xclientAddress(address: string): string {
  if (unixPath(address) !== null) return "[UNAVAILABLE]";
  return address.includes(":") ? `IPV6:${address}` : address;
}

/** RFC 3461 section 4. */
function xtext(value: ByteString): ByteString {
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  return value.replace(/[\x00-\x20+=\x7f-\xff]/g, (byte) => {
    return `+${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

interface Reply {
  /** Of the last line, which is the one that counts (RFC 5321 section 4.2.1). */
  readonly code: string;
  /** All lines, as they came. */
  readonly text: ByteString;
}

/** Sends, and reads a reply of one or more lines. */
function* reply(text: ByteString): Generator<ByteString, Reply, ByteString> {
  let line = yield text;
  let whole = line;
  while (line[3] === "-") {
    line = yield "";
    whole += line;
  }
  return { code: line.slice(0, 3), text: whole };
}
