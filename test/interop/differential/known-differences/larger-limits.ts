// Input that is too long for nginx and not for Postern.
import { base64 } from "../script.ts";
import { allOf, answered, asked, heard, type Rewrite } from "../rewriting.ts";
import type { KnownDifference } from "./known-difference.ts";

const buffers = "pipelined commands need not fit the buffer together";
const responses = "SASL responses may have 12 KiB";
const lines = "POP3 commands may have 512 bytes";

/** The upstream echoes the first 80 bytes of a command. */
function imapLogin(password: string): Rewrite {
  const literals = `a LOGIN {4}anna {${password.length}}${password}`;
  return allOf(
    answered("imap", [`a OK upstream heard ${literals.slice(0, 80)}`], "upstream"),
    asked("imap", "anna", password),
    heard("a LOGIN {4}", `anna {${password.length}}`, password, "z LOGOUT"),
  );
}

function pop3Login(password: string): Rewrite {
  return allOf(
    answered("pop3", [`+OK upstream heard ${`PASS ${password}`.slice(0, 80)}`], "upstream"),
    asked("pop3", "anna", password),
    heard("USER anna", `PASS ${password}`, "QUIT"),
  );
}

function smtpLogin(password: string): Rewrite {
  return allOf(
    answered("smtp", ["235 2.0.0 OK"], "upstream"),
    asked("smtp", "anna", password),
    heard(
      "EHLO mx.example.test",
      "XCLIENT ADDR=CLIENT NAME=[UNAVAILABLE]",
      `AUTH PLAIN ${base64(`\0anna\0${password}`)}`,
      "QUIT",
    ),
  );
}

export const largerLimits: readonly KnownDifference[] = [
  {
    reason: buffers,
    scripts: /^IMAP limits: more in one write than the buffer holds$/,
    expected: answered(
      "imap",
      Array.from({ length: 40 }, (_, n) => `a${n} OK completed`),
      "proxy",
    ),
  },
  {
    reason: buffers,
    scripts: /^POP3 limits: more in one write than 128 bytes$/,
    expected: answered("pop3", Array<string>(30).fill("+OK"), "proxy"),
  },
  {
    reason: buffers,
    scripts: /^SMTP limits: more in one write than the buffer holds$/,
    expected: answered("smtp", Array<string>(50).fill("250 2.0.0 OK"), "proxy"),
  },
  {
    reason: lines,
    scripts: /^POP3 limits: a line of (?:129|512) bytes$/,
    expected: answered("pop3", ["+OK"], "proxy"),
  },
  {
    reason: responses,
    scripts: /^IMAP limits: an? .*response larger than the buffer$/,
    expected: imapLogin("p".repeat(300)),
  },
  {
    reason: responses,
    scripts: /^POP3 limits: a SASL response of 129 bytes$/,
    expected: pop3Login("p".repeat(90)),
  },
  {
    reason: responses,
    scripts: /^POP3 limits: an? \w+ response of 1000 bytes$/,
    expected: pop3Login("p".repeat(740)),
  },
  {
    reason: responses,
    scripts: /^SMTP limits: an? .*response larger than the buffer$/,
    expected: smtpLogin("p".repeat(300)),
  },
];
