/** The login at an IMAP upstream. */
import type { ByteString } from "../../../shared/lookup.ts";
import { type Command, START_TLS, type Script } from "../../transport/index.ts";
import { idCommand, loopDetected } from "../client-id.ts";
import type { Account, ClientInfo, LoginEnd, LoginOptions } from "../protocol.ts";
import type { Reply, ReplyReader } from "../reply-reader.ts";
import {
  type PasswordAccount,
  type SaslResponse,
  chooseResponse,
  saslAuthenticate,
} from "../sasl-client.ts";
import { quoted } from "../../quoted.ts";

/** RFC 7888: a non-synchronizing literal has up to 4,096 bytes. nginx waits for each literal. */
const MAX_NON_SYNCHRONIZING = 4096;

/** Bytes of a command that servers accept (RFC 7162 section 4). */
const MAX_LINE = 8192;

/** The tag of the commands that the client did not send. */
const OWN_TAG = "postern";

/** An upstream's capabilities: one string, since most logins look for two or three words in it. */
class Capabilities {
  /** In capitals, each with a space on both sides. */
  readonly #words: string;

  /** @param words separated by spaces */
  constructor(words: string) {
    this.#words = ` ${words.trim().toUpperCase()} `;
  }

  has(word: string): boolean {
    return this.#words.includes(` ${word} `);
  }

  /** The SASL mechanisms. */
  get mechanisms(): ReadonlySet<string> {
    return new Set(this.#words.split(" ").flatMap((word) => /^AUTH=(.*)/.exec(word)?.[1] ?? []));
  }
}

/**
 * Logs in like nginx, with LOGIN and without a look at the capabilities, unless the options or the account need
 * more. An upstream that disables LOGIN in its greeting is not sent a password by LOGIN.
 *
 * @param tag of the client's own login, so that the client can be sent the upstream's reply
 */
export function* login(
  replies: ReplyReader,
  tag: ByteString,
  account: Account,
  client: ClientInfo,
  { tls, hops }: LoginOptions,
): Script<LoginEnd> {
  if (hops !== null && hops < 1) return loopDetected("ID command");
  const greeting = yield* replies.line();
  // PREAUTH is another user's mailbox, and rules out STARTTLS (RFC 9051 section 7.1.4).
  if (!/^\* OK\b/i.test(greeting)) return { kind: "unready", reply: greeting };
  const withPassword = { ...account, password: account.password ?? "" };
  let known = capabilitiesIn(greeting);
  const plainly = tls !== "starttls" && hops === null && account.bearer === null;
  if (plainly && known?.has("LOGINDISABLED") !== true) {
    return yield* loginCommand(replies, tag, withPassword, known);
  }
  known ??= yield* capabilities(replies);
  if (tls === "starttls") known = yield* startTls(replies, known);
  if (hops !== null && known.has("ID")) {
    const text = `${OWN_TAG} ${idCommand(client, hops)}\r\n`;
    yield* requiredCommand(replies, { text, name: "ID command" });
  }
  const response = chooseResponse(withPassword, known.mechanisms);
  if (response !== null) return yield* authenticate(replies, tag, response, known);
  if (known.has("LOGINDISABLED")) {
    const reason = "upstream does not accept passwords (LOGINDISABLED)";
    return { kind: "impossible", name: "LOGIN command", reason };
  }
  return yield* loginCommand(replies, tag, withPassword, known);
}

/** @returns the capabilities under TLS; the earlier ones are forgotten (RFC 9051 section 6.2.1) */
function* startTls(replies: ReplyReader, known: Capabilities): Script<Capabilities> {
  if (!known.has("STARTTLS")) throw new Error("upstream does not offer STARTTLS");
  yield* requiredCommand(replies, { text: `${OWN_TAG} STARTTLS\r\n`, name: "STARTTLS command" });
  yield START_TLS;
  return yield* capabilities(replies);
}

function* capabilities(replies: ReplyReader): Script<Capabilities> {
  const command = { text: `${OWN_TAG} CAPABILITY\r\n`, name: "CAPABILITY command" };
  const reply = yield* requiredCommand(replies, command);
  for (const line of reply.split("\n")) {
    const known = capabilitiesIn(line);
    if (known !== null) return known;
  }
  throw new Error("upstream does not list its capabilities");
}

/** @returns the capabilities that a greeting or an untagged line lists, or null */
function capabilitiesIn(line: ByteString): Capabilities | null {
  if (!/CAPABILITY/i.test(line)) return null;
  const [, inGreeting, alone] =
    /^\* (?:OK \[CAPABILITY ([^\]]*)\]|CAPABILITY (.*))/i.exec(line) ?? [];
  const words = inGreeting ?? alone;
  return words === undefined ? null : new Capabilities(words);
}

/** RFC 4959 lets the first message stand in the command where the upstream announces SASL-IR. */
function* authenticate(
  replies: ReplyReader,
  tag: ByteString,
  response: SaslResponse,
  known: Capabilities,
): Script<LoginEnd> {
  const reply = yield* saslAuthenticate(replies, response, {
    command: `${tag} AUTHENTICATE`,
    name: "AUTHENTICATE command",
    maxLine: known.has("SASL-IR") ? MAX_LINE : 0,
    isChallenge: isContinuation,
  });
  return loginEnd(tag, reply);
}

/** RFC 9051 section 6.2.3. Login and password are literals, because a literal holds any byte. */
function* loginCommand(
  replies: ReplyReader,
  tag: ByteString,
  { login: user, password }: PasswordAccount,
  known: Capabilities | null,
): Script<LoginEnd> {
  const longest = Math.max(user.length, password.length);
  const literals = known?.has("LITERAL+") === true || known?.has("LITERAL-") === true;
  if (literals && longest <= MAX_NON_SYNCHRONIZING) {
    const both = `{${user.length}+}\r\n${user} {${password.length}+}\r\n${password}\r\n`;
    const command = { text: `${tag} LOGIN ${both}`, name: "LOGIN command" };
    return loginEnd(tag, yield* replies.reply(command));
  }
  let reply = yield* replies.reply({
    text: `${tag} LOGIN {${user.length}}\r\n`,
    name: "LOGIN command",
  });
  if (!isContinuation(reply.last)) return { kind: "refused", reply: reply.text };
  reply = yield* replies.reply({ text: `${user} {${password.length}}\r\n`, name: "user name" });
  if (!isContinuation(reply.last)) return { kind: "refused", reply: reply.text };
  return loginEnd(tag, yield* replies.reply({ text: `${password}\r\n`, name: "password" }));
}

/** A reply ends with the first line that is not untagged. */
export function isUntagged(line: ByteString): boolean {
  return line.startsWith("* ");
}

function isContinuation(line: ByteString): boolean {
  return line.startsWith("+");
}

/** Sends a command that the login cannot do without. */
function* requiredCommand(replies: ReplyReader, command: Command): Script<ByteString> {
  const { text, last } = yield* replies.reply(command);
  if (!isOk(last, OWN_TAG)) {
    throw new Error(`upstream refused ${command.name}: ${quoted(text.trimEnd())}`);
  }
  return text;
}

/** The client is sent the untagged lines too, which often list the capabilities after the login. */
function loginEnd(tag: ByteString, { text, last }: Reply): LoginEnd {
  return { kind: isOk(last, tag) ? "accepted" : "refused", reply: text };
}

function isOk(line: ByteString, tag: ByteString): boolean {
  if (!line.startsWith(tag)) return false;
  const status = line.slice(tag.length, tag.length + 4).toUpperCase();
  return status === " OK " || status === " OK\r" || status === " OK\n" || status === " OK";
}
