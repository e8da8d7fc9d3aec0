/** Getting past the greeting of an SMTP upstream, and logging in there if it is to be. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { ServerSettings } from "../../config/index.ts";
import type { Command } from "../../transport/index.ts";
import { loopDetected } from "../client-id.ts";
import { type SaslResponse, plain, chooseResponse, saslAuthenticate } from "../sasl-client.ts";
import type {
  Account,
  ClientInfo,
  LoginEnd,
  LoginPart,
  LoginScript,
  LoginOptions,
} from "../protocol.ts";
import { type Hello, unasked, wanted } from "./xclient.ts";

/** RFC 4954 section 4: with its first response, AUTH stays within a command line's bytes (RFC 5321). */
const LONGEST_LINE = 512;

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
 * As nginx does it: EHLO; with `xclient` XCLIENT and the client's own EHLO again; then the transaction of a
 * client that did not log in, or with `proxy_smtp_auth` AUTH PLAIN. A client that logged in hears an answer
 * of our own: an upstream that is not asked to authenticate has none to give.
 *
 * Where there is more to it, what the upstream offers decides.
 */
export function* login(
  account: Account,
  client: ClientInfo,
  { tls, hops }: LoginOptions,
  { server_name, xclient, proxy_smtp_auth }: ServerSettings,
  { hello, extended }: Introduction,
  transaction: Transaction | null,
): LoginScript {
  if (hops !== null && hops < 1) return loopDetected("XCLIENT");
  const bearer = proxy_smtp_auth && account.bearer !== null;
  const more = tls === "starttls" || hops !== null || bearer;
  const own: Hello = { verb: extended || xclient || more ? "EHLO" : "HELO", name: server_name };
  let answer = yield* reply("more");
  if (answer.code !== "220") return { kind: "unready", reply: answer.text };
  answer = yield* introduce(own, "HELO/EHLO");
  if (answer.code !== "250") return refused(answer);
  if (tls === "starttls") {
    yield* startTls(extensions(answer));
    answer = yield* introduce(own, "HELO/EHLO");
    if (answer.code !== "250") return refused(answer);
  }
  let known = extensions(answer);
  const user = proxy_smtp_auth || account.login === "" ? null : account.login;
  const offered = known.get("XCLIENT") ?? null;
  let command: Command | null = null;
  if (hops !== null) command = wanted(client, user, hello, hops, offered ?? []);
  else if (xclient) command = unasked(client, user, offered !== null);
  if (command !== null) {
    answer = yield* reply(command);
    if (!["220", "250"].includes(answer.code)) return refused(answer);
    // Behind XCLIENT a session begins anew; nginx leaves it at that where the client said nothing either.
    const again = hello ?? (hops === null ? null : own);
    if (again !== null) {
      answer = yield* introduce(again, "client HELO/EHLO");
      if (answer.code !== "250") return refused(answer);
      if (again.verb === "EHLO") known = extensions(answer);
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
    const { password } = account;
    if (password === null) {
      return { kind: "impossible", name: "AUTH", why: "no password available" };
    }
    const withPassword = { ...account, password };
    const response = more
      ? chooseResponse(withPassword, new Set(known.get("AUTH")))
      : plain(withPassword);
    if (response === null) {
      return { kind: "impossible", name: "AUTH", why: "upstream offers no AUTH that would do" };
    }
    // nginx does not wait, however long a password is.
    answer = yield* authenticate(response, more ? LONGEST_LINE : Infinity);
    if (answer.code !== "235") return refused(answer);
  }
  return { kind: "accepted", reply: "235 2.0.0 OK\r\n" };
}

/** What an upstream announces: words in capitals, with those behind each. */
type Extensions = ReadonlyMap<string, readonly string[]>;

/** Of an answer to EHLO (RFC 5321 section 4.1.1.1); `AUTH=` is old, and still said. */
function extensions({ text }: Reply): Extensions {
  const lines = text.toUpperCase().trimEnd().split("\n");
  const words = lines.map((line) => line.slice(4).trimEnd().split(/[ =]/));
  return new Map(words.map(([word = "", ...more]) => [word, more]));
}

function introduce({ verb, name }: Hello, doing: string): LoginPart<Reply> {
  return reply(saying(`${verb} ${name}`, doing));
}

/** RFC 3207 section 4.2: what the upstream said before TLS is forgotten. */
function* startTls(known: Extensions): LoginPart<void> {
  if (!known.has("STARTTLS")) throw new Error("upstream does not offer STARTTLS");
  const { code, text } = yield* reply(saying("STARTTLS", "STARTTLS"));
  if (code !== "220") throw new Error(`upstream refused STARTTLS: "${text.trimEnd()}"`);
  yield "tls";
}

function authenticate(response: SaslResponse, longest: number): LoginPart<Reply> {
  return saslAuthenticate(response, {
    command: "AUTH",
    name: "AUTH",
    longest,
    ask: reply,
    challenges: ({ code }) => code === "334",
  });
}

function saying(command: ByteString, name: string): Command {
  return { text: `${command}\r\n`, name };
}

function refused({ text }: Reply): LoginEnd {
  return { kind: "refused", reply: text };
}

interface Reply {
  /** Of the last line, which is the one that counts (RFC 5321 section 4.2.1). */
  readonly code: string;
  /** All lines, as they came. */
  readonly text: ByteString;
}

/** Sends, and reads a reply of one or more lines. */
function* reply(command: Command | "more"): LoginPart<Reply> {
  let line = yield command;
  let whole = line;
  while (line[3] === "-") {
    line = yield "more";
    whole += line;
  }
  return { code: line.slice(0, 3), text: whole };
}
