/** Getting past the greeting of an SMTP upstream, and logging in there if it is to be. */
import { unixPath } from "../../../shared/address.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import type { ServerSettings } from "../../config/index.ts";
import type {
  Account,
  ClientFacts,
  LoginEnd,
  LoginPart,
  LoginScript,
  Saying,
} from "../protocol.ts";
import { encodeBase64 } from "../sasl.ts";

/** A client's EHLO or HELO. */
export interface Hello {
  readonly verb: "EHLO" | "HELO";
  readonly name: ByteString;
}

/** How the client introduced itself last: since TLS began, and whether by EHLO, even before. */
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
  let answer = yield* reply(null);
  if (answer.code !== "220") return { kind: "unready", reply: answer.text };
  const greeting = `${extended || xclient ? "EHLO" : "HELO"} ${server_name}`;
  answer = yield* reply(saying(greeting, "HELO/EHLO"));
  if (answer.code !== "250") return refused(answer);
  if (xclient) {
    const user = proxy_smtp_auth ? "" : account.login;
    const command = saying(xclientCommand(client, user), "XCLIENT");
    const offered = /^250[- ]XCLIENT\b/im.test(answer.text);
    answer = yield* reply(
      offered ? command : { ...command, note: "upstream does not announce XCLIENT" },
    );
    if (!["220", "250"].includes(answer.code)) return refused(answer);
    if (hello !== null) {
      answer = yield* reply(saying(`${hello.verb} ${hello.name}`, "client HELO/EHLO"));
      if (answer.code !== "250") return refused(answer);
    }
  }
  if (transaction !== null) {
    answer = yield* reply(saying(transaction.from, "MAIL FROM"));
    if (answer.code !== "250") return refused(answer);
    // Whatever the upstream says of the recipient, it says to the client.
    answer = yield* reply(saying(transaction.to, "RCPT TO"));
    return { kind: "accepted", reply: answer.text };
  }
  if (proxy_smtp_auth) {
    const { login: user, password } = account;
    if (password === null) {
      return { kind: "impossible", name: "AUTH", why: "no password available" };
    }
    const response = encodeBase64(`\0${user}\0${password}`);
    answer = yield* reply(saying(`AUTH PLAIN ${response}`, "AUTH"));
    if (answer.code !== "235") return refused(answer);
  }
  return { kind: "accepted", reply: "235 2.0.0 OK\r\n" };
}

function saying(command: ByteString, name: string): Saying {
  return { text: `${command}\r\n`, name };
}

function refused({ text }: Reply): LoginEnd {
  return { kind: "refused", reply: text };
}

/** Postfix's XCLIENT: what the upstream should take for the client's address, name and login. */
function xclientCommand({ address, host }: ClientFacts, user: ByteString): ByteString {
  const named = user === "" ? "" : ` LOGIN=${xtext(user)}`;
  return `XCLIENT ADDR=${xclientAddress(address)}${named} NAME=${host}`;
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
function* reply(command: Saying | null): LoginPart<Reply> {
  let line = yield command;
  let whole = line;
  while (line[3] === "-") {
    line = yield null;
    whole += line;
  }
  return { code: line.slice(0, 3), text: whole };
}
