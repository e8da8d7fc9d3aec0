// Changes in nginx between 1.22, which Debian has, and 1.31, which Postern follows.
import {
  after,
  allOf,
  answered,
  askedInstead,
  heardInstead,
  line,
  noBackends,
  type Rewrite,
  words,
} from "../rewriting.ts";
import type { KnownDifference } from "./known-difference.ts";
import { imapSucceeds } from "./upstreams.ts";

const since = (what: string) => `nginx 1.22 is older than 1.31: ${what}`;
const xtext = since("XCLIENT's LOGIN is no xtext");
const salted = since("Auth-Salt is in every lookup of a session that has a salt");

const withoutSalt: Rewrite = askedInstead((each) => (each.startsWith("Auth-Salt: ") ? "" : each));

export const nginxVersions: readonly KnownDifference[] = [
  {
    reason: since("an IMAP upstream may not say a line before its OK"),
    scripts: /^Upstreams of IMAP: capabilities before the OK/,
    expected: imapSucceeds("* CAPABILITY IMAP4rev1 IDLE", "a OK in"),
  },
  {
    reason: since("it takes an untagged line for the upstream's answer"),
    scripts: /^Upstreams of IMAP: BYE to the login, proxy_pass_error_message on$/,
    expected: after("> a LOGIN", [
      ...words("a NO [UNAVAILABLE] internal server error"),
      line("> b NOOP"),
      "(closed)",
    ]),
  },
  {
    reason: salted,
    scripts: /^POP3 AUTH: EXTERNAL (?!with broken|with a line feed).*with all mechanisms$/i,
    expected: withoutSalt,
  },
  {
    reason: salted,
    scripts: /^(?:IMAP AUTHENTICATE|SMTP AUTH): EXTERNAL after CRAM-MD5, broken, /,
    expected: withoutSalt,
  },
  {
    reason: since("MAIL keeps the credentials of a refused login"),
    scripts: /^SMTP mail without a login: a refused login, then MAIL and RCPT$/,
    expected: allOf(
      askedInstead((each, lookup) =>
        lookup === 0 ? each : each.replace(/^(Auth-(?:User|Pass): )\w+/, "$1"),
      ),
      heardInstead((each) => each.replace(" LOGIN=anna", "")),
    ),
  },
  {
    reason: xtext,
    scripts: /^SMTP and its upstream: a name with signs, xclient on, proxy_smtp_auth off$/,
    expected: heardInstead((each) => each.replace("LOGIN=a+b=c d", "LOGIN=a+2Bb+3Dc+20d")),
  },
  {
    reason: xtext,
    scripts: /^SMTP and its upstream: a name in UTF-8, xclient on, proxy_smtp_auth off$/,
    expected: heardInstead((each) => each.replace("LOGIN=\xc3\xa4nna", "LOGIN=+C3+A4nna")),
  },
  {
    reason: since("any byte may stand behind a literal"),
    scripts: /^IMAP literals: a literal too short for what follows$/,
    expected: answered("imap", ["a BAD invalid command"], "proxy"),
  },
  {
    reason: since("any byte may stand behind a literal"),
    scripts: /^IMAP literals: a literal with a quote right behind$/,
    expected: allOf(answered("imap", ["a BAD invalid command"], "proxy"), noBackends),
  },
];
