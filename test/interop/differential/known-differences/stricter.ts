// Input of clients that nginx accepts and Postern refuses or reads differently.
import {
  allOf,
  answered,
  askedInstead,
  by,
  heardInstead,
  leftOut,
  noBackends,
  type Rewrite,
  replied,
  said,
  saidInstead,
} from "../rewriting.ts";
import type { KnownDifference } from "./known-difference.ts";

const refused = allOf(
  by({
    imap: answered("imap", ["a BAD invalid command"], "proxy"),
    pop3: answered("pop3", ["-ERR invalid command"], "proxy"),
    smtp: answered("smtp", ["500 5.5.1 Invalid command"], "proxy"),
  }),
  noBackends,
);

/** nginx took the CR for the password. */
const emptyPassword: Rewrite = allOf(
  said((each) => each.replace(String.raw`{1}\r\r\n`, String.raw`{0}\r\n`)),
  askedInstead((each) => each.replace("Auth-Pass: %0D", "Auth-Pass: ")),
  heardInstead((each) => each.replace("{1}", "{0}").replace(/^\\r\\r\\n$/, String.raw`\r\n`)),
);

const clear = "the connection is closed when commands follow STARTTLS in the clear";
const must = "MAIL and RCPT must wait for STARTTLS where it is a must";
const upgrade = "530 5.7.0 Must issue a STARTTLS command first";
const cancel = "an asterisk cancels a SASL exchange";
const nothing = "a literal of no bytes is an empty string";

export const stricter: readonly KnownDifference[] = [
  {
    reason: "the connection is closed at BDAT, because its chunk follows without waiting",
    scripts: /^SMTP commands.*: "BDAT 3 LAST" /,
    expected: leftOut("221 2.0.0 Bye"),
  },
  {
    reason: "CR, LF and NUL in a login or password are refused as an invalid command",
    scripts: /^\w+ AUTH\w*: [\w-]+ with a (?:line feed|CR|NUL) in the \w+, with all mechanisms$/,
    expected: refused,
  },
  {
    reason: "EXTERNAL must be listed, with an initial response as without",
    scripts: /^\w+ AUTH\w*: EXTERNAL with a name at once, with (?:the default|CRAM-MD5)/,
    expected: refused,
  },
  {
    reason: cancel,
    scripts: /^IMAP AUTHENTICATE: \S+ cancelled/,
    expected: replied("*", "a BAD authentication cancelled"),
  },
  {
    reason: cancel,
    scripts: /^POP3 AUTH: \S+ cancelled/,
    expected: replied("*", "-ERR authentication cancelled"),
  },
  {
    reason: cancel,
    scripts: /^SMTP AUTH: \S+ cancelled/,
    expected: replied("*", "501 5.7.0 Authentication cancelled"),
  },
  {
    reason: clear,
    scripts: /^STARTTLS: imap: commands in the clear behind STARTTLS$/,
    expected: leftOut("x OK completed"),
  },
  {
    reason: clear,
    scripts: /^STARTTLS: pop3: commands in the clear behind STARTTLS$/,
    expected: leftOut("+OK"),
  },
  {
    reason: clear,
    scripts: /^STARTTLS: smtp: commands in the clear behind STARTTLS$/,
    expected: leftOut("220 2.0.0 Start TLS"),
  },
  {
    reason: must,
    scripts: /^SMTP commands with smtp_auth none: "MAIL FROM\S*" where STARTTLS is a must$/i,
    expected: saidInstead("250 2.0.0 OK", upgrade),
  },
  {
    reason: must,
    scripts: /^SMTP commands with smtp_auth none: "MAIL" where STARTTLS is a must$/,
    expected: saidInstead("501 5.5.4 Invalid argument", upgrade),
  },
  {
    reason: must,
    scripts: /^SMTP commands with smtp_auth none: "RCPT.*" where STARTTLS is a must$/,
    expected: saidInstead("503 5.5.1 Bad sequence of commands", upgrade),
  },
  {
    reason: "the answer to a broken name has its tag",
    scripts: /^IMAP commands: "a AUTHENTICATE LOGIN" (?!where STARTTLS is a must)/,
    expected: saidInstead("BAD invalid command", "a BAD invalid command"),
  },
  {
    reason: "the answer to a broken name has its tag",
    scripts: /^IMAP AUTHENTICATE: LOGIN with a broken name, /,
    expected: saidInstead("BAD invalid command", "a BAD invalid command"),
  },
  {
    reason: "a tag is not empty",
    scripts: /^IMAP (?:commands: " a NOOP"|line ends and odd bytes: spaces only)/,
    expected: saidInstead(" BAD invalid command", "* BAD invalid command"),
  },
  {
    reason: "a quoted string must be closed",
    scripts: /^IMAP atoms and quoted strings: a quoted string that is not closed$/,
    expected: refused,
  },
  {
    reason: "a quoted string must be closed",
    scripts: /^IMAP atoms and quoted strings: a quoted string that is not closed, then/,
    expected: saidInstead("a OK completed", "a BAD invalid command"),
  },
  {
    reason: nothing,
    scripts: /^IMAP literals: (?:an empty literal as the password|a literal without a size)$/,
    expected: emptyPassword,
  },
  {
    reason: nothing,
    scripts: /^IMAP literals: an empty literal as the name$/,
    expected: refused,
  },
];
