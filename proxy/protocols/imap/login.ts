/** Logging in to an IMAP upstream. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { Command } from "../../transport/index.ts";
import { idCommand, loopDetected } from "../client-id.ts";
import {
  type SaslResponse,
  type PasswordAccount,
  chooseResponse,
  saslAuthenticate,
} from "../sasl-client.ts";
import type {
  Account,
  ClientInfo,
  LoginEnd,
  LoginPart,
  LoginScript,
  LoginOptions,
} from "../protocol.ts";

/** RFC 7888: a literal that is not waited for has up to 4,096 bytes. nginx waits for each. */
const LONGEST_NON_SYNCHRONIZING = 4096;

/** What servers let a command have, bytes (RFC 7162 section 4). */
const LONGEST_LINE = 8192;

/** Before the commands that are not the client's. */
const OWN_TAG = "postern";

/** What an upstream can do, in capitals. */
type Capabilities = ReadonlySet<string>;

/**
 * As nginx logs in, with LOGIN and unasked, unless there is more to it. An upstream whose greeting takes no
 * LOGIN is not sent a password in vain.
 */
export function* login(
  tag: ByteString,
  account: Account,
  client: ClientInfo,
  { tls, hops }: LoginOptions,
): LoginScript {
  if (hops !== null && hops < 1) return loopDetected("ID command");
  const greeting = yield "more";
  // PREAUTH is somebody else's mailbox, and beyond STARTTLS (RFC 9051 section 7.1.4).
  if (!/^\* OK\b/i.test(greeting)) return { kind: "unready", reply: greeting };
  const withPassword = { ...account, password: account.password ?? "" };
  let known = capabilitiesIn(greeting);
  const plainly = tls !== "starttls" && hops === null && account.bearer === null;
  if (plainly && known?.has("LOGINDISABLED") !== true) {
    return yield* loginCommand(tag, withPassword, known);
  }
  known ??= yield* capabilities();
  if (tls === "starttls") known = yield* startTls(known);
  if (hops !== null && known.has("ID")) {
    yield* done({ text: `${OWN_TAG} ${idCommand(client, hops)}\r\n`, name: "ID command" });
  }
  const response = chooseResponse(withPassword, mechanismsOf(known));
  if (response !== null) return yield* authenticate(tag, response, known);
  if (known.has("LOGINDISABLED")) {
    const why = "upstream takes no password (LOGINDISABLED)";
    return { kind: "impossible", name: "LOGIN command", why };
  }
  return yield* loginCommand(tag, withPassword, known);
}

/** @returns what the upstream can do under TLS; what it said before is forgotten (RFC 9051 section 6.2.1) */
function* startTls(known: Capabilities): LoginPart<Capabilities> {
  if (!known.has("STARTTLS")) throw new Error("upstream does not offer STARTTLS");
  yield* done({ text: `${OWN_TAG} STARTTLS\r\n`, name: "STARTTLS command" });
  yield "tls";
  return yield* capabilities();
}

function* capabilities(): LoginPart<Capabilities> {
  const reply = yield* done({ text: `${OWN_TAG} CAPABILITY\r\n`, name: "CAPABILITY command" });
  const lines = reply.split("\n").flatMap((line) => capabilitiesIn(line) ?? []);
  const [known] = lines;
  if (known === undefined) throw new Error("upstream does not tell its capabilities");
  return known;
}

/** Of a greeting, or of an untagged line; null where it tells of none. */
function capabilitiesIn(line: ByteString): Capabilities | null {
  const [, inGreeting, alone] =
    /^\* (?:OK \[CAPABILITY ([^\]]*)\]|CAPABILITY (.*))/i.exec(line) ?? [];
  const words = inGreeting ?? alone;
  return words === undefined ? null : new Set(words.trim().toUpperCase().split(/ +/));
}

function mechanismsOf(known: Capabilities): ReadonlySet<string> {
  return new Set([...known].flatMap((word) => /^AUTH=(.*)/.exec(word)?.[1] ?? []));
}

/** RFC 4959 lets the first response stand in the command, where the upstream knows of it. */
function* authenticate(tag: ByteString, response: SaslResponse, known: Capabilities): LoginScript {
  return verdict(
    tag,
    yield* saslAuthenticate(response, {
      command: `${tag} AUTHENTICATE`,
      name: "AUTHENTICATE command",
      longest: known.has("SASL-IR") ? LONGEST_LINE : 0,
      ask: answered,
      challenges: ({ line }) => line.startsWith("+"),
    }),
  );
}

/** RFC 9051 section 6.2.3. Login and password go as literals, which hold any byte. */
function* loginCommand(
  tag: ByteString,
  { login: user, password }: PasswordAccount,
  known: Capabilities | null,
): LoginScript {
  const longest = Math.max(user.length, password.length);
  const literals = known?.has("LITERAL+") === true || known?.has("LITERAL-") === true;
  if (literals && longest <= LONGEST_NON_SYNCHRONIZING) {
    const both = `{${user.length}+}\r\n${user} {${password.length}+}\r\n${password}\r\n`;
    return verdict(tag, yield* answered({ text: `${tag} LOGIN ${both}`, name: "LOGIN command" }));
  }
  const before: readonly Command[] = [
    { text: `${tag} LOGIN {${user.length}}\r\n`, name: "LOGIN command" },
    { text: `${user} {${password.length}}\r\n`, name: "user name" },
  ];
  for (const saying of before) {
    const { line, reply } = yield* answered(saying);
    if (!line.startsWith("+")) return { kind: "refused", reply };
  }
  return verdict(tag, yield* answered({ text: `${password}\r\n`, name: "password" }));
}

/** A reply up to the first line that is not untagged. */
interface Reply {
  readonly line: ByteString;
  /** All of it. */
  readonly reply: ByteString;
}

function* answered(saying: Command): LoginPart<Reply> {
  let line = yield saying;
  let reply = line;
  while (line.startsWith("* ")) {
    line = yield "more";
    reply += line;
  }
  return { line, reply };
}

/** A command of our own, which must succeed. */
function* done(saying: Command): LoginPart<ByteString> {
  const { line, reply } = yield* answered(saying);
  if (!isOk(line, OWN_TAG)) {
    throw new Error(`upstream refused ${saying.name}: "${reply.trimEnd()}"`);
  }
  return reply;
}

/** The upstream's untagged words (its new capabilities, often) go to the client before the tagged one. */
function verdict(tag: ByteString, { line, reply }: Reply): LoginEnd {
  return { kind: isOk(line, tag) ? "accepted" : "refused", reply };
}

function isOk(line: ByteString, tag: ByteString): boolean {
  const [answeredTag, status] = line.split(" ", 2);
  return answeredTag === tag && status?.trimEnd().toUpperCase() === "OK";
}
