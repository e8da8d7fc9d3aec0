// Lines that Postern sends to upstreams or accepts from them, and nginx does not.
import {
  after,
  allOf,
  heard,
  heardInstead,
  line,
  type Rewrite,
  saidInstead,
  words,
} from "../rewriting.ts";
import type { KnownDifference } from "./known-difference.ts";

/** The login succeeds with this answer of the upstream, and the session goes on. */
export function imapSucceeds(...answer: readonly string[]): Rewrite {
  return allOf(
    after("> a LOGIN", [
      ...words(...answer),
      line("> b NOOP"),
      ...words("b OK upstream heard b NOOP"),
      line("> z LOGOUT"),
      ...words("* BYE", "z OK upstream says goodbye"),
      "(closed)",
    ]),
    heard("a LOGIN {4}", "anna {6}", "secret", "b NOOP", "z LOGOUT"),
  );
}

export const upstreams: readonly KnownDifference[] = [
  {
    reason: "literals are not asked for where the upstream announces LITERAL+",
    scripts: /^Upstreams of IMAP: a greeting with LITERAL\+/,
    expected: allOf(
      heardInstead((each) => each.replace(/\{(\d)\}/, "{$1+}")),
      saidInstead(
        "a OK upstream heard a LOGIN {4}anna {6}secret",
        "a OK upstream heard a LOGIN {4+}anna {6+}secret",
      ),
    ),
  },
  {
    reason: "an IMAP upstream may say more than one line before its OK",
    scripts: /^Upstreams of IMAP: two untagged lines before the OK/,
    expected: imapSucceeds("* 1 X", "* 2 Y", "a OK in"),
  },
  {
    reason: "an IMAP upstream may say OK in small letters",
    scripts: /^Upstreams of IMAP: an OK in small letters/,
    expected: imapSucceeds("a ok in"),
  },
  {
    reason: "an SMTP upstream is greeted as the client did last",
    scripts: /: EHLO, then HELO and a login, xclient off/,
    expected: heardInstead((each) => each.replace("EHLO mx.example.test", "HELO mx.example.test")),
  },
  {
    reason: "the client's HELO is said again as it was said last",
    scripts: /: (?:EHLO, then HELO and a login, xclient on|SMTP forgets EHLO at STARTTLS, and)/,
    expected: heardInstead((each) =>
      each.replace("EHLO other.example.test", "HELO other.example.test"),
    ),
  },
];
