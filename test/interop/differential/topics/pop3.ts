// POP3: names and passwords with spaces, APOP, line ends, limits.
import { createHash } from "node:crypto";
import { base64, on, pop3, raw, together, type Topic, yes } from "../script.ts";

const logins = on(pop3(), {
  "USER and PASS": ["USER anna", "PASS secret", "STAT"],
  "user and pass in small letters": ["user anna", "pass secret"],
  "a name with spaces": ["USER anna of green gables", "PASS secret"],
  "a name with spaces around": ["USER   anna   ", "PASS secret"],
  "a password with spaces": ["USER anna", "PASS my secret word"],
  "a password with spaces around": ["USER anna", "PASS   secret   "],
  "a password of spaces": ["USER anna", "PASS     "],
  "a password of five words": ["USER anna", "PASS 1 2 3 4 5"],
  "a name in UTF-8": ["USER \xc3\xa4nna", "PASS s\xc3\xa9cret"],
  "a name with percent signs": ["USER anna%example.test", "PASS 100%"],
  "control characters": ["USER an\x01na\t", "PASS se\x1bcret"],
  "USER twice": ["USER anna", "USER bert", "PASS secret"],
  "USER twice, and again": ["USER anna", "USER bert", "USER carl", "PASS secret"],
  "PASS without USER": ["PASS secret"],
  "PASS without a word, then with one": ["USER anna", "PASS", "PASS secret"],
  "PASS twice": ["USER anna", "PASS", "USER anna", "PASS secret"],
  "NOOP between USER and PASS": ["USER anna", "NOOP", "PASS secret"],
  "CAPA between USER and PASS": ["USER anna", "CAPA", "PASS secret"],
  "an unknown command between USER and PASS": ["USER anna", "STAT", "PASS secret"],
  "AUTH between USER and PASS": ["USER anna", "AUTH", "PASS secret"],
  "an empty line between USER and PASS": ["USER anna", "", "PASS secret"],
});

const digest = createHash("md5").update("x").digest("hex");

const apop = [
  ...on(
    pop3("pop3_auth apop;"),
    {
      APOP: `APOP anna ${digest}`,
      "apop in small letters": `apop anna ${digest}`,
      "APOP with a digest of another length": "APOP anna x",
      "APOP among spaces": `APOP   anna   ${digest}   `,
      "APOP with one word": "APOP anna",
      "APOP with three words": "APOP anna 1 2",
      "APOP with four words": "APOP anna 1 2 3",
      "APOP after a broken one": ["APOP anna", `APOP anna ${digest}`],
      "USER where only APOP is listed": ["USER anna", "PASS secret"],
      "CAPA and AUTH where only APOP is listed": ["CAPA", "AUTH"],
      "AUTH PLAIN where only APOP is listed": [`AUTH PLAIN ${base64("\0anna\0secret")}`],
      "AUTH CRAM-MD5 where only APOP is listed": ["AUTH CRAM-MD5"],
    },
    { lookup: [yes({ "Auth-Pass": "given" })] },
  ),
  ...on(pop3(), { "APOP where it is not listed": `APOP anna ${digest}` }),
];

const ends = on(pop3(), {
  "a bare line feed": [raw("NOOP\n"), raw("CAPA\n")],
  "a bare line feed behind USER and PASS": [raw("USER anna\n"), raw("PASS secret\n")],
  "a CR within a command": [raw("NO\rOP\r\n")],
  "a CR behind a command": [raw("NOOP\rx\r\n")],
  "a CR within an argument": [raw("USER an\rna\r\n")],
  "two CRs": [raw("NOOP\r\r\n")],
  "a NUL in a command": [raw("NO\0P\r\n")],
  "a NUL behind a command": [raw("NOOP\0\r\n")],
  "an eight-bit byte in a command": [raw("N\xd6OP\r\n")],
  "a TAB behind a command": [raw("NOOP\t\r\n")],
  "digits as a command": [raw("1234\r\n")],
  "a digit in a command": [raw("NO0P\r\n")],
  "a space in front": [" NOOP"],
  "an empty line": [""],
  "an empty line of a bare line feed": [raw("\n")],
  "spaces only": ["    "],
  "three letters": ["NOO"],
  "five letters": ["NOOPE"],
});

const errors = [
  ...on(pop3("max_errors 0;"), { "max_errors 0 is like 1": ["STAT"] }),
  ...on(pop3("pop3_auth plain;"), {
    "mechanisms that are not enabled are not counted": Array.from({ length: 6 }, (_, n) =>
      n % 2 === 0 ? "AUTH CRAM-MD5" : "AUTH EXTERNAL",
    ),
    "unknown mechanisms are not counted": Array.from({ length: 6 }, () => "AUTH SCRAM-SHA-1"),
    "USER after USER is not counted": ["USER a", "USER b", "USER a", "USER b", "USER a", "USER b"],
  }),
  ...on(pop3(), {
    "errors after USER go back to the start": ["USER a", "STAT", "PASS x", "USER a", "PASS y"],
    "PASS without a password goes back to the start": ["USER a", "PASS", "PASS x"],
    "PASS of spaces goes back to the start": ["USER a", "PASS   ", "PASS x"],
    "CAPA and NOOP keep the name": ["USER a", "CAPA", "NOOP", "capa", "PASS x"],
    "a broken NOOP forgets the name": ["USER a", "NOOP 1 2 3 4", "PASS x"],
    "QUIT after USER": ["USER a", "QUIT"],
    "five wrong commands": ["XXXX", "XXXX", "XXXX", "XXXX", "XXXX"],
    "four wrong commands and a good one": ["XXXX", "XXXX", "XXXX", "XXXX", "NOOP"],
    "PASS without USER, which is not counted": Array.from({ length: 7 }, () => "PASS x"),
    "AUTH with rubbish, which is not counted": Array.from({ length: 7 }, () => "AUTH PLAIN !"),
    "wrong commands after USER": ["USER a", "XXXX", "USER a", "XXXX", "XXXX", "XXXX", "XXXX"],
    "wrong commands in one write": [raw("XXXX\r\nXXXX\r\nXXXX\r\nXXXX\r\nXXXX\r\nNOOP\r\n", 5)],
  }),
  ...on(pop3("max_errors 1;"), { "one error is too many with max_errors 1": ["STAT"] }),
  ...on(pop3("max_errors 2;"), {
    "too many arguments count": ["NOOP 1 2 3 4", "CAPA 1 2 3 4"],
    "too many words in a response count": ["AUTH PLAIN", "1 2 3 4", "AUTH PLAIN", "1 2 3 4"],
  }),
];

const limits = on(pop3(), {
  "a line of 128 bytes": `USER ${"u".repeat(121)}`,
  "a line of 128 bytes that ends in a bare line feed": [raw(`USER ${"u".repeat(122)}\n`)],
  "a name and a password of 128 bytes": [`USER ${"u".repeat(121)}`, `PASS ${"p".repeat(121)}`],
  "a SASL response of 128 bytes": ["AUTH PLAIN", base64(`\0anna\0${"p".repeat(84)}`)],
  "a line of 129 bytes": `USER ${"u".repeat(122)}`,
  "a line of 512 bytes": `USER ${"u".repeat(505)}`,
  "a line of 513 bytes": `USER ${"u".repeat(506)}`,
  "a line of 2000 bytes": `USER ${"u".repeat(2000)}`,
  "a SASL response of 129 bytes": ["AUTH PLAIN", base64(`\0anna\0${"p".repeat(90)}`)],
  "a SASL response of 1000 bytes": ["AUTH PLAIN", base64(`\0anna\0${"p".repeat(740)}`)],
  "an initial response of 1000 bytes": `AUTH PLAIN ${base64(`\0anna\0${"p".repeat(740)}`)}`,
  "more in one write than 128 bytes": [together(...Array.from({ length: 30 }, () => "NOOP"))],
  "an initial response of 128 bytes": `AUTH PLAIN ${base64(`\0anna\0${"p".repeat(78)}`)}`,
});

const pipelines = on(pop3(), {
  "commands in one write": [together("NOOP", "CAPA", "XXXX", "NOOP", "AUTH")],
  "QUIT in one write with more": [raw("NOOP\r\nQUIT\r\nNOOP\r\n", 2)],
  "USER and PASS in one write": [together("USER anna", "PASS secret")],
  "a login in one write with commands for the upstream": [
    together("USER anna", "PASS secret", "STAT", "LIST"),
  ],
  "an exchange in one write, without waiting": [
    together("AUTH PLAIN", base64("\0anna\0secret"), "STAT"),
  ],
  "commands in pieces": [raw("NO", 0), raw("OP", 0), raw("\r", 0), raw("\n")],
  "one command and the half of another": [raw("NOOP\r\nCA"), raw("PA\r\n")],
});

export const pop3Topics: readonly Topic[] = [
  { name: "POP3 logins", scripts: logins },
  { name: "POP3 APOP", scripts: apop },
  { name: "POP3 line ends and odd bytes", scripts: ends },
  { name: "POP3 errors", scripts: errors },
  { name: "POP3 limits", scripts: limits },
  { name: "POP3 pipelining", scripts: pipelines },
  {
    name: "POP3 capabilities",
    scripts: [
      "pop3_capabilities TOP UIDL;",
      "pop3_capabilities TOP TOP X-\u00dc; pop3_capabilities TOP;",
      'pop3_capabilities "LOGIN-DELAY 300" USER PIPELINING;',
      "pop3_auth plain apop;",
      "pop3_auth apop;",
      "pop3_auth external cram-md5 plain;",
      "pop3_auth cram-md5;",
      "pop3_auth plain; starttls on;",
      "pop3_auth plain apop cram-md5 external; starttls only; pop3_capabilities TOP USER UIDL;",
    ].flatMap((directives) =>
      on(pop3(directives), { [`the lists with ${directives}`]: ["CAPA", "AUTH"] }),
    ),
  },
];
