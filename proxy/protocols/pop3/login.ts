/** Logging in to a POP3 upstream. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { Command } from "../../transport/index.ts";
import { loopDetected, xclientCommand, xclientAttributes } from "../client-id.ts";
import { type PasswordAccount, chooseResponse, saslAuthenticate } from "../sasl-client.ts";
import type {
  Account,
  ClientInfo,
  LoginEnd,
  LoginPart,
  LoginScript,
  LoginOptions,
} from "../protocol.ts";

/** RFC 2449 section 4: a command's bytes. */
const LONGEST_LINE = 255;

/** What an upstream can do: its words, in capitals, with those behind each. */
type Capabilities = ReadonlyMap<string, readonly string[]>;

/** As nginx logs in, with USER and PASS and unasked, unless there is more to it. */
export function* login(
  account: Account,
  client: ClientInfo,
  { tls, hops }: LoginOptions,
): LoginScript {
  if (hops !== null && hops < 1) return loopDetected("XCLIENT");
  const greeting = yield "more";
  if (!isOk(greeting)) return { kind: "unready", reply: greeting };
  const withPassword = { ...account, password: account.password ?? "" };
  let known: Capabilities | null = null;
  if (tls === "starttls" || account.bearer !== null) known = yield* capabilities();
  if (tls === "starttls") known = yield* startTls(known);
  // Dovecot says it nowhere else, so it is believed under TLS too: it makes us say nothing secret.
  if (hops !== null && greeting.startsWith("+OK [XCLIENT]")) {
    const command = xclientCommand(xclientAttributes(client, hops));
    yield* done({ text: `${command}\r\n`, name: "XCLIENT" });
  }
  const response = known === null ? null : chooseResponse(withPassword, new Set(known.get("SASL")));
  if (response !== null) {
    const carrier = { command: "AUTH", name: "AUTH command", longest: LONGEST_LINE };
    return verdict(yield* saslAuthenticate(response, { ...carrier, ask: line, challenges }));
  }
  if (known?.has("USER") === false) {
    const why = "upstream takes no password (no USER among its capabilities)";
    return { kind: "impossible", name: "user name", why };
  }
  return yield* userAndPass(withPassword);
}

/** @returns what the upstream can do under TLS; what it said before is forgotten (RFC 2595 section 4) */
function* startTls(known: Capabilities | null): LoginPart<Capabilities | null> {
  if (known?.has("STLS") !== true) throw new Error("upstream does not offer STLS");
  yield* done({ text: "STLS\r\n", name: "STLS" });
  yield "tls";
  return yield* capabilities();
}

/** RFC 2449 section 5; null where the upstream does not know the command. */
function* capabilities(): LoginPart<Capabilities | null> {
  if (!isOk(yield { text: "CAPA\r\n", name: "CAPA" })) return null;
  const known = new Map<string, readonly string[]>();
  for (;;) {
    const [word = "", ...more] = (yield "more").trimEnd().toUpperCase().split(" ");
    if (word === ".") return known;
    known.set(word, more);
  }
}

/** RFC 1939 section 7. The reply to PASS goes to the client as it is. */
function* userAndPass({ login: user, password }: PasswordAccount): LoginScript {
  const reply = yield { text: `USER ${user}\r\n`, name: "user name" };
  if (!isOk(reply)) return verdict(reply);
  return verdict(yield { text: `PASS ${password}\r\n`, name: "password" });
}

function* line(saying: Command): LoginPart<ByteString> {
  return yield saying;
}

/** A command that must succeed. */
function* done(saying: Command): LoginPart<void> {
  const reply = yield saying;
  if (!isOk(reply)) throw new Error(`upstream refused ${saying.name}: "${reply.trimEnd()}"`);
}

function verdict(reply: ByteString): LoginEnd {
  return { kind: isOk(reply) ? "accepted" : "refused", reply };
}

/** RFC 5034 section 4. */
function challenges(reply: ByteString): boolean {
  return /^\+[ \r\n]/.test(reply);
}

function isOk(reply: ByteString): boolean {
  return /^\+OK\b/i.test(reply);
}
