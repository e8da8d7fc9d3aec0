/** The login at a POP3 upstream. */
import type { ByteString } from "../../../shared/lookup.ts";
import { type Command, START_TLS, type Script } from "../../transport/index.ts";
import { loopDetected, xclientAttributes, xclientCommand } from "../client-id.ts";
import type { Account, ClientInfo, LoginEnd, LoginOptions } from "../protocol.ts";
import type { Reply, ReplyReader } from "../reply-reader.ts";
import { type PasswordAccount, chooseResponse, saslAuthenticate } from "../sasl-client.ts";
import { quoted } from "../../quoted.ts";

/** Bytes of a command (RFC 2449 section 4). */
const MAX_LINE = 255;

/** An upstream's capabilities in capitals, each with its parameters. */
type Capabilities = ReadonlyMap<string, readonly string[]>;

/**
 * Logs in like nginx, with USER and PASS and without a look at the capabilities, unless the options or the
 * account need more.
 */
export function* login(
  replies: ReplyReader,
  account: Account,
  client: ClientInfo,
  { tls, hops }: LoginOptions,
): Script<LoginEnd> {
  if (hops !== null && hops < 1) return loopDetected("XCLIENT");
  const greeting = yield* replies.line();
  if (!isOk(greeting)) return { kind: "unready", reply: greeting };
  const withPassword = { ...account, password: account.password ?? "" };
  let known: Capabilities | null = null;
  if (tls === "starttls" || account.bearer !== null) known = yield* capabilities(replies);
  if (tls === "starttls") known = yield* startTls(replies, known);
  // Dovecot announces XCLIENT in its greeting only. Under TLS the announcement is still believed, because
  // XCLIENT carries no secret.
  if (hops !== null && greeting.startsWith("+OK [XCLIENT]")) {
    const text = `${xclientCommand(xclientAttributes(client, hops))}\r\n`;
    yield* requiredCommand(replies, { text, name: "XCLIENT" });
  }
  const response = known === null ? null : chooseResponse(withPassword, new Set(known.get("SASL")));
  if (response !== null) {
    const reply = yield* saslAuthenticate(replies, response, {
      command: "AUTH",
      name: "AUTH command",
      maxLine: MAX_LINE,
      isChallenge,
    });
    return loginEnd(reply);
  }
  if (known?.has("USER") === false) {
    const reason = "upstream does not accept passwords (its capabilities lack USER)";
    return { kind: "impossible", name: "user name", reason };
  }
  return yield* userAndPass(replies, withPassword);
}

/** @returns the capabilities under TLS; the earlier ones are forgotten (RFC 2595 section 4) */
function* startTls(replies: ReplyReader, known: Capabilities | null): Script<Capabilities | null> {
  if (known?.has("STLS") !== true) throw new Error("upstream does not offer STLS");
  yield* requiredCommand(replies, { text: "STLS\r\n", name: "STLS" });
  yield START_TLS;
  return yield* capabilities(replies);
}

/** RFC 2449 section 5. @returns null where the upstream does not know CAPA */
function* capabilities(replies: ReplyReader): Script<Capabilities | null> {
  const { last } = yield* replies.reply({ text: "CAPA\r\n", name: "CAPA" });
  if (!isOk(last)) return null;
  const known = new Map<string, readonly string[]>();
  for (;;) {
    const line = yield* replies.line();
    const [word = "", ...parameters] = line.trimEnd().toUpperCase().split(" ");
    if (word === ".") return known;
    known.set(word, parameters);
  }
}

/** RFC 1939 section 7. The client is sent the reply to PASS as it is. */
function* userAndPass(
  replies: ReplyReader,
  { login: user, password }: PasswordAccount,
): Script<LoginEnd> {
  const reply = yield* replies.reply({ text: `USER ${user}\r\n`, name: "user name" });
  if (!isOk(reply.last)) return loginEnd(reply);
  return loginEnd(yield* replies.reply({ text: `PASS ${password}\r\n`, name: "password" }));
}

/** Sends a command that the login cannot do without. */
function* requiredCommand(replies: ReplyReader, command: Command): Script<void> {
  const { last } = yield* replies.reply(command);
  if (!isOk(last)) throw new Error(`upstream refused ${command.name}: ${quoted(last.trimEnd())}`);
}

/** A reply is one line. The lines behind the reply to CAPA are read one by one. */
export function isContinued(): boolean {
  return false;
}

function loginEnd({ text, last }: Reply): LoginEnd {
  return { kind: isOk(last) ? "accepted" : "refused", reply: text };
}

/** RFC 5034 section 4. */
function isChallenge(line: ByteString): boolean {
  return /^\+[ \r\n]/.test(line);
}

function isOk(line: ByteString): boolean {
  return /^\+OK\b/i.test(line);
}
