// IMAP's grammar: tags, atoms, quoted strings, literals, line ends, limits.
import { base64, imap, on, raw, together, type Topic } from "../script.ts";

const tags = on(imap(), {
  "a tag of 32 characters": `${"t".repeat(32)} NOOP`,
  "a tag of 33 characters": `${"t".repeat(33)} NOOP`,
  "a tag of all kinds of characters": "aZ09._- NOOP",
  "a tag with a plus sign": "a+ NOOP",
  "a tag with a colon": "a:b NOOP",
  "a tag with an asterisk": "* NOOP",
  "a tag with a slash": "a/b NOOP",
  "a tag with an eight-bit byte": "\xe4 NOOP",
  "a tag with a TAB": "a\tNOOP",
  "many spaces between tag and command": "a     NOOP",
  "a tag alone": "tag",
  "a tag and a space": "tag ",
  "a tag with an error, then a good one": ["a! NOOP", "b NOOP"],
  "an error with a tag, then one without": ["a XYZ", "? NOOP"],
  "two commands with one tag": ["a NOOP", "a NOOP"],
});

const quoted = on(imap(), {
  "quoted strings": 'a LOGIN "anna" "secret"',
  "a quoted string with spaces": 'a LOGIN "an na" "se  cret"',
  "a quoted string with an escaped quote": 'a LOGIN "an\\"na" "se\\\\cret"',
  "a quoted string with an escaped space": 'a LOGIN "an\\ na" "\\""',
  "an atom with a quote at its end": 'a LOGIN anna" secret"',
  "quoted, atom and quoted without spaces": 'a LOGIN "1"2"3"',
  "four arguments without spaces": 'a LOGIN "1""2""3""4"',
  "a quoted string with needless escapes": 'a LOGIN "a\\nn\\a" "\\s"',
  "a quoted string with eight-bit bytes": 'a LOGIN "\xc3\xa4nna" "s\xc3\xa9cret"',
  "a quoted string with a percent sign": 'a LOGIN "an%na" "100%"',
  "quotes within an atom": 'a LOGIN an"na sec"ret"',
  "a backslash within an atom": "a LOGIN DOMAIN\\anna sec\\ret",
  "quoted strings without a space between": 'a LOGIN "anna""secret"',
  "an atom right behind a quoted string": 'a LOGIN "anna"secret',
  "an empty quoted password": 'a LOGIN anna ""',
  "an empty quoted login": 'a LOGIN "" "secret"',
  "three quoted strings": 'a LOGIN "1" "2" "3"',
  "four quoted strings": 'a LOGIN "1" "2" "3" "4"',
  "an escape that CR breaks": 'a LOGIN "anna" "secret\\',
  "a quoted string that is not closed": 'a LOGIN anna "secret',
  "a quoted string that is not closed, then another command": ['a NOOP "x', "b NOOP 1 2"],
  "a quoted name that is not closed": 'a LOGIN "anna secret',
  "a quoted mechanism": `a AUTHENTICATE "PLAIN" ${base64("\0anna\0secret")}`,
  "a quoted initial response": `a AUTHENTICATE PLAIN "${base64("\0anna\0secret")}"`,
  "braces within an atom": "a LOGIN an{4}na secret",
  "a brace within a quoted string": 'a LOGIN "{4}" "{6}"',
  "trailing spaces": "a LOGIN anna secret   ",
  "many spaces between arguments": "a LOGIN    anna     secret",
  "parentheses and asterisks in atoms": "a LOGIN (anna*) %secret%",
});

const literals = on(imap(), {
  "two literals": ["a LOGIN {4}", "anna {6}", "secret"],
  "two literals that do not wait": [raw("a LOGIN {4+}\r\nanna {6+}\r\nsecret\r\n")],
  "a literal that waits, and one that does not": ["a LOGIN {4}", raw("anna {6+}\r\nsecret\r\n")],
  "a literal that does not wait, and one that does": [
    raw("a LOGIN {4+}\r\nanna {6}\r\n"),
    "secret",
  ],
  "an atom and a literal": ["a LOGIN anna {6}", "secret"],
  "a literal and an atom": ["a LOGIN {4}", "anna secret"],
  "a literal and a quoted string": ["a LOGIN {4}", 'anna "secret"'],
  "a literal with spaces, quotes and braces": ["a LOGIN {10}", 'an "n{1} a {6}', "secret"],
  "a literal with eight-bit bytes": ["a LOGIN {5}", "\xc3\xa4nna {7}", "s\xc3\xa9cret"],
  "a literal too short for what follows": ["a LOGIN {3}", "anna {6}"],
  "a literal that swallows the next space": ["a LOGIN {5}", "anna  {6}", "secret"],
  "a single literal": ["a LOGIN {4}", "anna"],
  "a literal and spaces": ["a LOGIN {4}", "anna   "],
  "three literals": ["a LOGIN {1}", "1 {1}", "2 {1}", "3"],
  "four literals": ["a LOGIN {1}", "1 {1}", "2 {1}", "3 {1}"],
  "a literal with leading zeros": ["a LOGIN {004}", "anna secret"],
  "literals with CRs behind": [raw("a LOGIN {4}\r\r\r\n"), raw("anna {6+}\r\r\n", 0), "secret"],
  "a refused literal with CRs behind": [raw("a SELECT {4}\r\r\n")],
  "a fourth argument that does not wait": [raw("a LOGIN 1 2 3 {4+}\r\nanna\r\n")],
  "a word behind a literal that does not wait": [raw("a LOGIN {4+} x\r\n")],
  "a broken tag before a literal that does not wait": [raw("a! LOGIN {4+}\r\n")],
  "a literal with a quote right behind": ["a LOGIN {4}", 'anna"secret"'],
  "literals and CRs right behind": ["a LOGIN {4}", "anna\r"],
  "a literal with several CRs behind": [raw("a LOGIN {4}\r\r\n"), "anna secret"],
  "an empty literal as the password": ["a LOGIN anna {0}", ""],
  "an empty literal as the name": ["a LOGIN {0}", " secret"],
  "a literal without a size": ["a LOGIN anna {}", ""],
  "a literal with a letter in its size": "a LOGIN {4x}",
  "a literal with a sign in its size": "a LOGIN {-4}",
  "a literal that is not closed": "a LOGIN {4",
  "a literal with a word behind": "a LOGIN {4} secret",
  "a literal with a space behind": "a LOGIN {4} ",
  "a literal with two plus signs": "a LOGIN {4++}",
  "a literal of minus, as LITERAL- has none": "a LOGIN {4-}",
  "a literal as the mechanism": ["a AUTHENTICATE {5}", `PLAIN ${base64("\0anna\0secret")}`],
  "a literal as the initial response": ["a AUTHENTICATE PLAIN {20}", base64("\0anna\0secret..")],
  "a literal to NOOP": ["a NOOP {3}", "abc"],
  "a literal in a bare line feed": [raw("a LOGIN {4}\n"), raw("anna {6}\n"), raw("secret\n")],
  "a literal with two line feeds, which are kept": [raw("a LOGIN {4+}\r\nan\x01a x\r\n")],
  "a refused line that ends in a literal that does not wait": [raw("a SELECT {5+}\r\nINBOX\r\n")],
  "a refused line with a literal that waits": ["a SELECT {5}"],
});

/** nginx sends a continuation request, and then has no buffer for the literal. */
const hopeless = on(
  imap(),
  { "a literal larger than the buffer": "a LOGIN {100000}" },
  { leavesSilently: true },
);

const ends = on(imap(), {
  "a bare line feed": [raw("a NOOP\n"), raw("b CAPABILITY\n")],
  "a CR within a command": [raw("a NO\rOP\r\n")],
  "a CR within an argument": [raw("a LOGIN an\rna secret\r\n")],
  "two CRs": [raw("a NOOP\r\r\n")],
  "a CR before a bare line feed's command": [raw("a NOOP\r"), raw("\nb NOOP\r\n", 2)].slice(1),
  "a NUL in a command": [raw("a NO\0OP\r\n")],
  "a NUL within a tag": [raw("a\0 NOOP\r\n")],
  "a NUL alone": [raw("\0\r\n")],
  "an eight-bit byte in a command": [raw("a N\xd6OP\r\n")],
  "a TAB behind a command": [raw("a NOOP\t\r\n")],
  "a digit behind a command": [raw("a NOOP1\r\n")],
  "an empty line": [""],
  "an empty line of a bare line feed": [raw("\n")],
  "spaces only": ["   "],
});

const errors = [
  ...on(imap(), {
    "five wrong commands": ["a X", "b X", "c X", "d X", "e X"],
    "four wrong commands and a good one": ["a X", "b X", "c X", "d X", "e NOOP"],
    "wrong arguments, which are not counted": Array.from({ length: 7 }, () => "a LOGIN x"),
    "broken exchanges, which are not counted": Array.from(
      { length: 7 },
      () => "a AUTHENTICATE PLAIN !",
    ),
    "five wrong commands in one write": [together("a X", "b X", "c X", "d X", "e X")],
    "six wrong commands in one write": [raw("a X\r\nb X\r\nc X\r\nd X\r\ne X\r\nf X\r\n", 5)],
    "wrong commands among good ones": ["a X", "b NOOP", "c X", "d NOOP", "e X", "f X", "g X"],
  }),
  ...on(imap("max_errors 1;"), { "one error is too many with max_errors 1": ["a X"] }),
  ...on(imap("max_errors 0;"), { "max_errors 0 is like 1": ["a X"] }),
  ...on(imap("max_errors 3;"), {
    "errors of the grammar count": ['a LOGIN "x\\', "b LOGIN {x}", "a! NOOP"],
    "an error without a tag as the last": ["a X", "b X", "?"],
    "too many words in a response count": [
      "a AUTHENTICATE PLAIN",
      "1 2 3 4",
      "b AUTHENTICATE PLAIN",
      "1 2 3 4",
      "c X",
    ],
  }),
];

const limits = [256, 4096].flatMap((size) =>
  on(imap(`imap_client_buffer ${size};`), {
    [`a line that fills the buffer of ${size}`]: `a NOOP ${"x".repeat(size - 9)}`,
    [`a line one byte longer than the buffer of ${size}`]: `a NOOP ${"x".repeat(size - 8)}`,
    [`a line of bare LF that fills the buffer of ${size}`]: [
      raw(`a NOOP ${"x".repeat(size - 8)}\n`),
    ],
    [`a line much longer than the buffer of ${size}`]: `a LOGIN anna ${"x".repeat(size * 2)}`,
    [`a tag longer than the buffer of ${size}`]: "t".repeat(size),
    [`a login that fills the buffer of ${size}`]: `a LOGIN ${"u".repeat(size - 18)} secret`,
    [`a literal that fills the buffer of ${size}`]: [
      "a LOGIN {4}",
      `anna {${size - 13 - 10 - (size > 999 ? 1 : 0) - 2}}`,
      "p".repeat(size - 13 - 10 - (size > 999 ? 1 : 0) - 2),
    ],
  }),
);

/** The limit of nginx is the size of its buffer, for any kind of input. */
const crowded = on(imap("imap_client_buffer 256;"), {
  "more in one write than the buffer holds": [
    together(...Array.from({ length: 40 }, (_, n) => `a${n} NOOP`)),
  ],
  "an initial response larger than the buffer": `a AUTHENTICATE PLAIN ${base64(`\0anna\0${"p".repeat(300)}`)}`,
  "a response larger than the buffer": [
    "a AUTHENTICATE PLAIN",
    base64(`\0anna\0${"p".repeat(300)}`),
  ],
  "a line larger than the buffer in pieces": [raw("a NOOP ", 0), raw("x".repeat(300)), raw("\r\n")],
});

const pipelines = on(imap(), {
  "commands in one write": [together("a NOOP", "b CAPABILITY", "c X", "d NOOP")],
  "LOGOUT in one write with more": [raw("a NOOP\r\nb LOGOUT\r\nc NOOP\r\n", 2)],
  "a login in one write with commands for the upstream": [
    together("a NOOP", "b LOGIN anna secret", "c SELECT INBOX", "d NOOP"),
  ],
  "a login by literals in one write, without waiting": [
    raw("a LOGIN {4}\r\nanna {6}\r\nsecret\r\nb NOOP\r\n", 4),
  ],
  "an exchange in one write, without waiting": [
    raw(`a AUTHENTICATE PLAIN\r\n${base64("\0anna\0secret")}\r\nb NOOP\r\n`, 3),
  ],
  "commands in pieces": [raw("a NO", 0), raw("OP", 0), raw("\r", 0), raw("\n")],
  "one command and the half of another": [raw("a NOOP\r\nb NO"), raw("OP\r\n")],
});

export const imapTopics: readonly Topic[] = [
  { name: "IMAP tags", scripts: tags },
  { name: "IMAP atoms and quoted strings", scripts: quoted },
  { name: "IMAP literals", scripts: [...literals, ...hopeless] },
  { name: "IMAP line ends and odd bytes", scripts: ends },
  { name: "IMAP errors", scripts: errors },
  { name: "IMAP limits", scripts: [...limits, ...crowded] },
  { name: "IMAP pipelining", scripts: pipelines },
  {
    name: "IMAP capabilities",
    scripts: [
      "imap_capabilities IMAP4rev1 IDLE NAMESPACE;",
      'imap_capabilities "X-ONE two" IMAP4rev1;',
      'imap_capabilities X-\u00dc "" A A; imap_capabilities A;',
      "imap_auth plain;",
      "imap_auth login plain;",
      "imap_auth external cram-md5 login plain;",
      "imap_auth cram-md5; imap_capabilities IMAP4rev1; starttls on;",
      "imap_auth external plain; imap_capabilities IMAP4rev1; starttls only;",
      "starttls on;",
      "starttls only;",
    ].flatMap((directives) =>
      on(imap(directives), { [`the list with ${directives}`]: "a CAPABILITY" }),
    ),
  },
];
