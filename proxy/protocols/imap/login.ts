/** Logging in to an IMAP upstream with LOGIN (RFC 9051 section 6.2.3). */
import type { ByteString } from "../../../shared/lookup.ts";
import type { Account, LoginEnd, LoginPart, LoginScript, Saying } from "../protocol.ts";

/** RFC 7888: literals without waiting, up to 4,096 bytes each. nginx never looks, and waits twice. */
const NON_SYNCHRONIZING = /\[CAPABILITY [^\]]*\bLITERAL[+-]/i;
const LONGEST_NON_SYNCHRONIZING = 4096;

/**
 * Login and password go as literals, which hold any byte. The upstream's untagged words (its new
 * capabilities, often) go to the client before the tagged one, as they came.
 */
export function* login(tag: ByteString, { login: user, password }: Account): LoginScript {
  const secret = password ?? "";
  const greeting = yield null;
  if (!/^\* OK\b/i.test(greeting)) return { kind: "unready", reply: greeting };

  let last: Saying = { text: `${secret}\r\n`, name: "password" };
  if (
    NON_SYNCHRONIZING.test(greeting) &&
    Math.max(user.length, secret.length) <= LONGEST_NON_SYNCHRONIZING
  ) {
    const literals = `{${user.length}+}\r\n${user} {${secret.length}+}\r\n${secret}\r\n`;
    last = { text: `${tag} LOGIN ${literals}`, name: "LOGIN command" };
  } else {
    const before: readonly Saying[] = [
      { text: `${tag} LOGIN {${user.length}}\r\n`, name: "LOGIN command" },
      { text: `${user} {${secret.length}}\r\n`, name: "user name" },
    ];
    for (const saying of before) {
      const { line, reply } = yield* answered(saying);
      if (!line.startsWith("+")) return refused(reply);
    }
  }
  const { line, reply } = yield* answered(last);
  const [answeredTag, status] = line.split(" ", 2);
  const accepted = answeredTag === tag && status?.trimEnd().toUpperCase() === "OK";
  return accepted ? { kind: "accepted", reply } : refused(reply);
}

/** Sends, and waits for a line that is not untagged; the reply is all of them. */
function* answered(saying: Saying): LoginPart<{ line: ByteString; reply: ByteString }> {
  let line = yield saying;
  let reply = line;
  while (line.startsWith("* ")) {
    line = yield null;
    reply += line;
  }
  return { line, reply };
}

function refused(reply: ByteString): LoginEnd {
  return { kind: "refused", reply };
}
