// Differences when a backend fails, or answers what nginx takes for a yes and Postern does not.
import {
  allOf,
  answered,
  askedInstead,
  by,
  heard,
  line,
  noUpstream,
  said,
  saidInstead,
} from "../rewriting.ts";
import type { KnownDifference } from "./known-difference.ts";

const temporary = {
  imap: "a NO [UNAVAILABLE] internal server error",
  pop3: "-ERR [SYS/TEMP] internal server error",
  smtp: "454 4.7.0 internal server error",
};

const failsForNow = allOf(
  by({
    imap: answered("imap", [temporary.imap], "none"),
    pop3: answered("pop3", [temporary.pop3], "none"),
    smtp: answered("smtp", [temporary.smtp], "none"),
  }),
  noUpstream,
);

const succeeds = by({
  imap: allOf(
    answered("imap", ["a OK upstream heard a LOGIN {4}anna {6}secret"], "upstream"),
    heard("a LOGIN {4}", "anna {6}", "secret", "z LOGOUT"),
  ),
  pop3: allOf(
    answered("pop3", ["+OK upstream heard PASS secret"], "upstream"),
    heard("USER anna", "PASS secret", "QUIT"),
  ),
  smtp: allOf(
    answered("smtp", ["235 2.0.0 OK"], "upstream"),
    heard(
      "EHLO mx.example.test",
      "XCLIENT ADDR=CLIENT NAME=[UNAVAILABLE]",
      "EHLO client.example.test",
      "AUTH PLAIN AGFubmEAc2VjcmV0",
      "QUIT",
    ),
  ),
});

export const failures: readonly KnownDifference[] = [
  {
    reason: "a failure behind the proxy is told as temporary, under the login's tag",
    expected: said((each, before, { lookups }) => {
      switch (each) {
        case line("< * BAD internal server error"):
          return line(`< ${loginTag(before)} NO [UNAVAILABLE] internal server error`);
        case line("< -ERR internal server error"):
          return line(`< ${temporary.pop3}`);
        case line("< 451 4.3.2 Internal server error"):
          return lookups.at(-1)?.includes(line("Auth-Method: none")) === true
            ? line("< 451 4.3.0 internal server error")
            : line(`< ${temporary.smtp}`);
        default:
          return each;
      }
    }),
  },
  {
    reason:
      "the words of a 5xx are told to SMTP clients under a temporary code, where the reply has no code",
    scripts: /^Answers to the lookup of an SMTP login.*: a status of 503 with words$/,
    expected: saidInstead("535 5.7.0 [UNAVAILABLE] later", "454 4.7.0 [UNAVAILABLE] later"),
  },
  {
    reason: "only a 2xx with exactly `Auth-Status: OK` is a yes",
    scripts: /^Answers .*: (?:a yes with a status of \d+|no Auth-Status)$/,
    expected: failsForNow,
  },
  {
    reason: "an empty Auth-Status is no yes in SMTP either",
    scripts: /^Answers .* SMTP login: an empty Auth-Status$/,
    expected: failsForNow,
  },
  {
    reason: "lookup replies may have 16 KiB, and any name of a header",
    scripts: /^Answers .*: (?:a header of 2000 bytes|a name with an underscore)$/,
    expected: succeeds,
  },
  {
    reason: "connections for lookups are HTTP/1.1 and kept open",
    scripts: /^Answers .*: connections that are kept open$/,
    expected: askedInstead((each) => each.replace("HTTP/1.0", "HTTP/1.1")),
  },
];

function loginTag(before: readonly string[]): string {
  const tags = before.flatMap((each) => {
    const [, tag] = /^> (\S+) (?:LOGIN|AUTHENTICATE) /i.exec(each) ?? [];
    return tag ?? [];
  });
  return tags.at(-1) ?? "*";
}
