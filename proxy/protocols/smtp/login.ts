/** The exchange with an SMTP upstream up to the client's next command, with a login where one is wanted. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { ServerSettings } from "../../config/index.ts";
import { type Command, START_TLS, type Script } from "../../transport/index.ts";
import { loopDetected } from "../client-id.ts";
import type { Account, ClientInfo, LoginEnd, LoginOptions } from "../protocol.ts";
import type { Reply, ReplyReader } from "../reply-reader.ts";
import { type SaslResponse, chooseResponse, responseOf, saslAuthenticate } from "../sasl-client.ts";
import { type Hello, announcedXclient, unconditionalXclient } from "./xclient.ts";
import { quoted } from "../../quoted.ts";

/** Bytes of AUTH with its first message, a command line of RFC 5321 (RFC 4954 section 4). */
const MAX_LINE = 512;

/** The SMTP session of the client so far. */
export interface ClientSession {
  /** The last EHLO or HELO since TLS began. */
  readonly hello: Hello | null;
  /** True where the last one was EHLO, even before TLS. */
  readonly extended: boolean;
  /** With `smtp_auth none`: the commands that led to the lookup, to be repeated. */
  readonly transaction: { readonly from: ByteString; readonly to: ByteString } | null;
}

/**
 * Sends what nginx sends: EHLO; with `xclient` XCLIENT and the client's own EHLO; then the transaction of a client
 * that did not log in, or with `proxy_smtp_auth` AUTH PLAIN. A client that logged in gets our own reply, because
 * an upstream without AUTH has none.
 *
 * STARTTLS, `proxy_client_id` and bearer tokens depend on the upstream's extensions.
 */
export function* login(
  replies: ReplyReader,
  account: Account,
  client: ClientInfo,
  { tls, hops }: LoginOptions,
  { server_name, xclient, proxy_smtp_auth }: ServerSettings,
  { hello, extended, transaction }: ClientSession,
): Script<LoginEnd> {
  if (hops !== null && hops < 1) return loopDetected("XCLIENT");
  const bearer = proxy_smtp_auth && account.bearer !== null;
  const needsExtensions = tls === "starttls" || hops !== null || bearer;
  const ehlo = extended || xclient || needsExtensions;
  const ownHello: Hello = { verb: ehlo ? "EHLO" : "HELO", name: server_name };
  let reply = yield* replies.reply(null);
  if (!hasCode(reply, "220")) return { kind: "unready", reply: reply.text };
  reply = yield* replies.reply(helloCommand(ownHello, "HELO/EHLO"));
  if (!hasCode(reply, "250")) return refused(reply);
  if (tls === "starttls") {
    yield* startTls(replies, reply);
    reply = yield* replies.reply(helloCommand(ownHello, "HELO/EHLO"));
    if (!hasCode(reply, "250")) return refused(reply);
  }
  let extensions = reply;
  const user = proxy_smtp_auth || account.login === "" ? null : account.login;
  let command: Command | null = null;
  if (hops !== null || xclient) {
    const attributes = parametersOf(extensions, "XCLIENT");
    command =
      hops === null
        ? unconditionalXclient(client, user, attributes !== null)
        : announcedXclient(client, user, hello, hops, attributes ?? []);
  }
  if (command !== null) {
    reply = yield* replies.reply(command);
    if (!hasCode(reply, "220") && !hasCode(reply, "250")) return refused(reply);
    // A session begins anew after XCLIENT; nginx sends no EHLO for a client that sent none.
    const again = hello ?? (hops === null ? null : ownHello);
    if (again !== null) {
      reply = yield* replies.reply(helloCommand(again, "client HELO/EHLO"));
      if (!hasCode(reply, "250")) return refused(reply);
      if (again.verb === "EHLO") extensions = reply;
    }
  }
  if (transaction !== null) {
    reply = yield* replies.reply({ text: `${transaction.from}\r\n`, name: "MAIL FROM" });
    if (!hasCode(reply, "250")) return refused(reply);
    // The client is sent the upstream's reply to the recipient, accepted or not.
    reply = yield* replies.reply({ text: `${transaction.to}\r\n`, name: "RCPT TO" });
    return { kind: "accepted", reply: reply.text };
  }
  if (proxy_smtp_auth) {
    const { password } = account;
    if (password === null) {
      return { kind: "impossible", name: "AUTH", reason: "no password available" };
    }
    const withPassword = { ...account, password };
    const response = needsExtensions
      ? chooseResponse(withPassword, new Set(parametersOf(extensions, "AUTH")))
      : responseOf(withPassword, "PLAIN");
    if (response === null) {
      const reason = "upstream offers no usable AUTH mechanism";
      return { kind: "impossible", name: "AUTH", reason };
    }
    // nginx never waits for a challenge, however long the password is.
    reply = yield* authenticate(replies, response, needsExtensions ? MAX_LINE : Infinity);
    if (!hasCode(reply, "235")) return refused(reply);
  }
  return { kind: "accepted", reply: "235 2.0.0 OK\r\n" };
}

/**
 * The parameters of an extension in a reply to EHLO (RFC 5321 section 4.1.1.1), in capitals. `AUTH=` is an old form
 * that servers still send.
 *
 * @returns null where the upstream does not announce the extension
 */
function parametersOf({ text }: Reply, extension: string): readonly string[] | null {
  const lines = text.toUpperCase().split("\n");
  const words = lines.map((line) => line.slice(4).trimEnd().split(/[ =]/));
  return words.findLast(([keyword]) => keyword === extension)?.slice(1) ?? null;
}

function helloCommand({ verb, name }: Hello, logName: string): Command {
  return { text: `${verb} ${name}\r\n`, name: logName };
}

/** The extensions from before TLS are forgotten (RFC 3207 section 4.2). */
function* startTls(replies: ReplyReader, extensions: Reply): Script<void> {
  if (parametersOf(extensions, "STARTTLS") === null)
    throw new Error("upstream does not offer STARTTLS");
  const reply = yield* replies.reply({ text: "STARTTLS\r\n", name: "STARTTLS" });
  if (!hasCode(reply, "220")) {
    throw new Error(`upstream refused STARTTLS: ${quoted(reply.text.trimEnd())}`);
  }
  yield START_TLS;
}

function authenticate(
  replies: ReplyReader,
  response: SaslResponse,
  maxLine: number,
): Script<Reply> {
  return saslAuthenticate(replies, response, {
    command: "AUTH",
    name: "AUTH",
    maxLine,
    isChallenge: (line) => line.startsWith("334"),
  });
}

function refused({ text }: Reply): LoginEnd {
  return { kind: "refused", reply: text };
}

/** RFC 5321 section 4.2.1: a hyphen follows the code in all lines but the last. */
export function isContinued(line: ByteString): boolean {
  return line[3] === "-";
}

/** The code of the last line is the one that counts (RFC 5321 section 4.2.1). */
function hasCode({ last }: Reply, code: "220" | "235" | "250"): boolean {
  return last.startsWith(code);
}
