// SMTP: mail without a login, commands to the upstream, line ends, limits.
import {
  base64,
  moves,
  no,
  on,
  raw,
  type Script,
  smtp,
  together,
  type Topic,
  yes,
} from "../script.ts";

const EHLO = "EHLO client.example.test";
const HELO = "HELO client.example.test";
const MAIL = "MAIL FROM:<a@example.test>";
const RCPT = "RCPT TO:<b@example.test>";
const none = "smtp_auth plain none;";
const wrong = no("5.1.1 no such user", { "Auth-Wait": 1, "Auth-Error-Code": "550" });

const transactions = [
  ...on(smtp(none), {
    "MAIL and RCPT": [EHLO, MAIL, RCPT, "DATA"],
    "MAIL and RCPT after HELO": [HELO, MAIL, RCPT],
    "MAIL and RCPT without a greeting": [MAIL, RCPT],
    "mail and rcpt in small letters": [EHLO, "mail from:<a@example.test>", "rcpt to:<b@x>"],
    "MAIL with parameters": [EHLO, "MAIL FROM:<a@example.test> SIZE=1000 BODY=8BITMIME", RCPT],
    "inner and trailing spaces": [EHLO, "MAIL  FROM: <a@example.test>   ", "RCPT   TO:  <b@x>  "],
    "the null sender": [EHLO, "MAIL FROM:<>", RCPT],
    "addresses in UTF-8": [EHLO, "MAIL FROM:<\xc3\xa4@example.test>", "RCPT TO:<\xc3\xb6@x>"],
    "addresses with percent signs": [EHLO, "MAIL FROM:<a%b@x>", "RCPT TO:<c%20d@x>"],
    "arguments that make no sense": [EHLO, "MAIL whatever", "RCPT comes"],
    "MAIL twice": [EHLO, MAIL, "MAIL FROM:<c@example.test>", RCPT],
    "MAIL without an argument": [EHLO, "MAIL", MAIL, RCPT],
    "RCPT without MAIL": [EHLO, RCPT],
    "RCPT without an argument": [EHLO, MAIL, "RCPT", RCPT],
    "MAIL and RSET": [EHLO, MAIL, "RSET", RCPT],
    "MAIL, RSET and MAIL": [EHLO, MAIL, "RSET", "MAIL FROM:<c@example.test>", RCPT],
    "EHLO forgets MAIL": [EHLO, MAIL, EHLO, RCPT],
    "HELO forgets MAIL": [EHLO, MAIL, HELO, RCPT],
    "a wrong EHLO does not forget MAIL": [EHLO, MAIL, "EHLO", RCPT],
    "NOOP between MAIL and RCPT": [EHLO, MAIL, "NOOP", RCPT],
    "an unknown command between MAIL and RCPT": [EHLO, MAIL, "DATA", RCPT],
    "VRFY between MAIL and RCPT": [EHLO, MAIL, "VRFY b", RCPT],
    "AUTH between MAIL and RCPT": [EHLO, MAIL, `AUTH PLAIN ${base64("\0anna\0secret")}`],
    "a broken AUTH between MAIL and RCPT": [EHLO, MAIL, "AUTH PLAIN !", RCPT],
    "MAIL after a broken AUTH": [EHLO, "AUTH PLAIN !", MAIL, RCPT],
    "an introduction with an address literal": ["EHLO [192.0.2.1]", MAIL, RCPT],
    "an introduction in UTF-8": ["EHLO \xc3\xa4.example.test", MAIL, RCPT],
    "MAIL with twelve words": [EHLO, `MAIL ${"x ".repeat(12)}`],
    "MAIL with eleven words": [EHLO, `MAIL ${"x ".repeat(11)}`, RCPT],
    "a TAB at the end of MAIL and RCPT": [EHLO, `${MAIL}\t`, `${RCPT} \t `],
    "eleven words of MAIL and RCPT": [
      EHLO,
      `${MAIL} 2 3 4 5 6 7 8 9 10 11`,
      `${RCPT} 2 3 4 5 6 7 8 9 10 11`,
    ],
    "twelve words of RCPT": [EHLO, MAIL, `${RCPT} 2 3 4 5 6 7 8 9 10 11 12 13`, RCPT],
    "a sender with quotes and a backslash": [EHLO, 'MAIL FROM:<"a\\ b"@x>', RCPT],
    "a transaction in one write": [together(EHLO, MAIL, RCPT, "DATA")],
  }),
  ...on(
    smtp(none),
    {
      "a refused RCPT, then a good one": [EHLO, MAIL, RCPT, "RCPT TO:<c@example.test>"],
      "a refused RCPT, RSET, and anew": [EHLO, MAIL, RCPT, "RSET", MAIL, RCPT],
      "a refused RCPT, then MAIL": [EHLO, MAIL, RCPT, MAIL],
      "a refused RCPT, then a login": [EHLO, MAIL, RCPT, `AUTH PLAIN ${base64("\0anna\0secret")}`],
      "a refused RCPT in one write with a good one": [together(EHLO, MAIL, RCPT, RCPT, "DATA")],
    },
    { lookup: [wrong, yes()] },
  ),
  ...on(
    smtp(none),
    {
      "a refused login, then MAIL and RCPT": [
        EHLO,
        `AUTH PLAIN ${base64("\0anna\0wrong")}`,
        MAIL,
        RCPT,
      ],
    },
    { lookup: [no("5.7.8 wrong", { "Auth-Wait": 1 }), yes()] },
  ),
  ...on(
    smtp(none),
    { "a refused RCPT without a wait": [EHLO, MAIL, RCPT] },
    { lookup: [no("5.1.1 no such user", { "Auth-Error-Code": "550" })] },
  ),
  ...[
    "250 2.1.5 fine",
    "550 5.1.1 nobody",
    "450 4.2.0 later",
    "550-5.1.1 no\r\n550 5.1.1 body",
    "garbage",
  ].map((said): Script => ({
    name: `the upstream's answer to RCPT is passed on: ${JSON.stringify(said)}`,
    server: smtp(none),
    moves: moves(EHLO, MAIL, RCPT, "RSET"),
    upstream: { replies: { RCPT: `${said}\r\n` } },
  })),
];

/** Commands to the upstream by settings, by greeting of the client and by login. */
const handovers = ["xclient on", "xclient off"].flatMap((xclient) =>
  ["proxy_smtp_auth on", "proxy_smtp_auth off"].flatMap((auth) =>
    on(smtp(`${xclient}; ${auth}; ${none}`), {
      [`EHLO and a login, ${xclient}, ${auth}`]: [
        EHLO,
        `AUTH PLAIN ${base64("\0anna\0secret")}`,
        MAIL,
      ],
      [`HELO and a login, ${xclient}, ${auth}`]: [
        HELO,
        `AUTH PLAIN ${base64("\0anna\0secret")}`,
        MAIL,
      ],
      [`a login alone, ${xclient}, ${auth}`]: [`AUTH PLAIN ${base64("\0anna\0secret")}`, MAIL],
      [`EHLO, then HELO and a login, ${xclient}, ${auth}`]: [
        EHLO,
        "HELO other.example.test",
        `AUTH PLAIN ${base64("\0anna\0secret")}`,
      ],
      [`HELO, then EHLO and a login, ${xclient}, ${auth}`]: [
        HELO,
        "EHLO other.example.test",
        `AUTH PLAIN ${base64("\0anna\0secret")}`,
      ],
      [`EHLO and a message, ${xclient}, ${auth}`]: [EHLO, MAIL, RCPT],
      [`HELO and a message, ${xclient}, ${auth}`]: [HELO, MAIL, RCPT],
      [`a message alone, ${xclient}, ${auth}`]: [MAIL, RCPT],
      [`a wrong EHLO and a login, ${xclient}, ${auth}`]: [
        "EHLO",
        `AUTH PLAIN ${base64("\0anna\0secret")}`,
      ],
      [`a name with signs, ${xclient}, ${auth}`]: [
        EHLO,
        `AUTH PLAIN ${base64("\0a+b=c d\0secret")}`,
      ],
      [`a name in UTF-8, ${xclient}, ${auth}`]: [
        EHLO,
        `AUTH PLAIN ${base64("\0\xc3\xa4nna\0s\xc3\xa9cret")}`,
      ],
      [`an empty name, ${xclient}, ${auth}`]: [EHLO, `AUTH PLAIN ${base64("\0\0secret")}`],
    }),
  ),
);

const ends = on(smtp(none), {
  "a bare line feed": [raw("NOOP\n"), raw("EHLO x\n")],
  "a CR within a command": [raw("NO\rOP\r\n")],
  "a CR behind a command": [raw("NOOP\rx\r\n")],
  "a CR within an argument": [raw("EHLO x\ry\r\n")],
  "two CRs": [raw("NOOP\r\r\n")],
  "a NUL in a command": [raw("NO\0P\r\n")],
  "an eight-bit byte in a command": [raw("N\xd6OP\r\n")],
  "a TAB behind a command": [raw("EHLO\tx\r\n")],
  "a digit behind a command": [raw("NOOP1\r\n")],
  "a colon behind a command": [raw("MAIL: x\r\n")],
  "a command of ten letters": ["ABCDEFGHIJ"],
  "a command of thirty letters": ["A".repeat(30)],
  "STARTTLS in mixed letters": ["StartTls"],
  "an empty line": [""],
  "an empty line of a bare line feed": [raw("\n")],
  "spaces only": ["    "],
});

const errors = [
  ...on(smtp("max_errors 0;"), { "max_errors 0 is like 1": ["DATA"] }),
  ...on(smtp(), {
    "mechanisms that are not enabled do not": Array.from({ length: 6 }, (_, n) =>
      n % 2 === 0 ? "AUTH CRAM-MD5" : "AUTH SCRAM-SHA-1",
    ),
    "RCPT without MAIL does not": Array.from({ length: 6 }, () => RCPT),
    "five wrong commands": ["X", "X", "X", "X", "X"],
    "four wrong commands and a good one": ["X", "X", "X", "X", "NOOP"],
    "DATA counts": ["DATA", "DATA", "DATA", "DATA", "DATA"],
    "MAIL without a login does not": Array.from({ length: 7 }, () => MAIL),
    "VRFY, EXPN and HELP do not": ["VRFY", "EXPN", "HELP", "VRFY", "EXPN", "HELP"],
    "EHLO without a name does not": Array.from({ length: 7 }, () => "EHLO"),
    "wrong commands in one write": [raw("X\r\nX\r\nX\r\nX\r\nX\r\nNOOP\r\n", 5)],
  }),
  ...on(smtp("max_errors 1;"), { "one error is too many with max_errors 1": ["DATA"] }),
  ...on(smtp("max_errors 2;"), {
    "too many arguments count": [`NOOP ${"x ".repeat(12)}`, `EHLO ${"x ".repeat(12)}`],
    "too many words in a response count": [
      "AUTH PLAIN",
      "1 2 3 4 5 6 7 8 9 10 11 12",
      "AUTH PLAIN",
      "1 2 3 4 5 6 7 8 9 10 11 12",
    ],
  }),
];

const limits = [512, 4096].flatMap((size) =>
  on(smtp(`smtp_client_buffer ${size}; ${none}`), {
    [`a line that fills the buffer of ${size}`]: `NOOP ${"x".repeat(size - 7)}`,
    [`a line one byte longer than the buffer of ${size}`]: `NOOP ${"x".repeat(size - 6)}`,
    [`a line of bare LF that fills the buffer of ${size}`]: [raw(`NOOP ${"x".repeat(size - 6)}\n`)],
    [`a line much longer than the buffer of ${size}`]: `EHLO ${"x".repeat(size * 2)}`,
    [`a sender that fills the buffer of ${size}`]: [
      EHLO,
      `MAIL FROM:<${"a".repeat(size - 14)}>`.slice(0, size - 2),
      RCPT,
    ],
  }),
);

/** The limit of nginx is the size of its buffer, for any kind of input. */
const crowded = on(smtp("smtp_client_buffer 256; proxy_smtp_auth on;"), {
  "more in one write than the buffer holds": [
    together(...Array.from({ length: 50 }, () => "NOOP")),
  ],
  "an initial response larger than the buffer": `AUTH PLAIN ${base64(`\0anna\0${"p".repeat(300)}`)}`,
  "a response larger than the buffer": ["AUTH PLAIN", base64(`\0anna\0${"p".repeat(300)}`)],
  "a line larger than the buffer in pieces": [raw("NOOP ", 0), raw("x".repeat(300)), raw("\r\n")],
});

const pipelines = on(smtp(none), {
  "commands in one write": [together("NOOP", EHLO, "X", "RSET", "NOOP")],
  "QUIT in one write with more": [raw("NOOP\r\nQUIT\r\nNOOP\r\n", 2)],
  "a login in one write with commands for the upstream": [
    together(EHLO, `AUTH PLAIN ${base64("\0anna\0secret")}`, MAIL, RCPT),
  ],
  "an exchange in one write, without waiting": [
    together(EHLO, "AUTH PLAIN", base64("\0anna\0secret"), MAIL),
  ],
  "commands in pieces": [raw("NO", 0), raw("OP", 0), raw("\r", 0), raw("\n")],
  "one command and the half of another": [raw("NOOP\r\nRS"), raw("ET\r\n")],
});

export const smtpTopics: readonly Topic[] = [
  { name: "SMTP mail without a login", scripts: transactions },
  { name: "SMTP and its upstream", scripts: handovers },
  { name: "SMTP line ends and odd bytes", scripts: ends },
  { name: "SMTP errors", scripts: errors },
  { name: "SMTP limits", scripts: [...limits, ...crowded] },
  { name: "SMTP pipelining", scripts: pipelines },
  {
    name: "SMTP before the greeting",
    scripts: [
      ...on(smtp("smtp_greeting_delay 300ms;"), { "a client that waits": [EHLO] }),
      ...on(
        smtp("smtp_greeting_delay 2s;"),
        { "a client that does not wait": [] },
        { first: `${EHLO}\r\n` },
      ),
      ...on(smtp(), { "a client that need not wait": [raw("", 1)] }, { first: `${EHLO}\r\n` }),
    ],
  },
  {
    name: "SMTP capabilities",
    scripts: [
      "smtp_capabilities PIPELINING 8BITMIME DSN;",
      'smtp_capabilities "SIZE 10485760" ENHANCEDSTATUSCODES;',
      "smtp_auth login;",
      "smtp_auth external cram-md5 login plain;",
      "smtp_auth none;",
      "smtp_auth none plain;",
      "smtp_auth none; smtp_capabilities PIPELINING;",
      "smtp_capabilities DSN; starttls on;",
      "smtp_capabilities DSN; starttls only;",
      "smtp_auth none; starttls only;",
      "server_name other.example.test;",
      'server_name "m\u00fc.example.test"; smtp_capabilities "X-\u20ac" DSN DSN;',
    ].flatMap((directives) =>
      on(smtp(directives), { [`the list with ${directives}`]: [EHLO, HELO] }),
    ),
  },
];
