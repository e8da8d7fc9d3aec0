/** Logging in to an IMAP upstream with LOGIN (RFC 9051 section 6.2.3). */
import type { ByteString } from "../../../shared/lookup.ts";
import type { Account, LoginEnd, LoginScript } from "../protocol.ts";

/** RFC 7888: literals without waiting, up to 4,096 bytes each. nginx never looks, and waits twice. */
const NON_SYNCHRONIZING = /\[CAPABILITY [^\]]*\bLITERAL[+-]/i;
const LONGEST_NON_SYNCHRONIZING = 4096;

/**
 * Login and password go as literals, which hold any byte. The upstream's untagged words (its new
 * capabilities, often) go to the client before the tagged one, as they came.
 */
export function* login(tag: ByteString, { login: user, password }: Account): LoginScript {
  const secret = password ?? "";
  const greeting = yield "";
  if (!/^\* OK\b/i.test(greeting)) return refused(greeting);

  let line: ByteString;
  if (
    NON_SYNCHRONIZING.test(greeting) &&
    Math.max(user.length, secret.length) <= LONGEST_NON_SYNCHRONIZING
  ) {
    line = yield `${tag} LOGIN {${user.length}+}\r\n${user} {${secret.length}+}\r\n${secret}\r\n`;
  } else {
    line = yield* tagged(`${tag} LOGIN {${user.length}}\r\n`);
    if (!line.startsWith("+")) return refused(line);
    line = yield* tagged(`${user} {${secret.length}}\r\n`);
    if (!line.startsWith("+")) return refused(line);
    line = yield `${secret}\r\n`;
  }

  let reply = line;
  while (line.startsWith("* ")) {
    line = yield "";
    reply += line;
  }
  const [answered, status] = line.split(" ", 2);
  const accepted = answered === tag && status?.trimEnd().toUpperCase() === "OK";
  return accepted ? { kind: "accepted", reply } : refused(reply);
}

/** Sends, and waits for a line that is not untagged. */
function* tagged(text: ByteString): Generator<ByteString, ByteString, ByteString> {
  let line = yield text;
  while (line.startsWith("* ")) line = yield "";
  return line;
}

function refused(reply: ByteString): LoginEnd {
  return { kind: "refused", reply };
}
