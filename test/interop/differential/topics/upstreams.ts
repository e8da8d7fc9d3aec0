// Upstreams that refuse, send too much, or close, at every stage of a login.
import {
  base64,
  imap,
  moves,
  pop3,
  raw,
  type Step,
  type Script,
  type ServerSpec,
  smtp,
  together,
  type Topic,
  untilClosed,
  type Upstream,
} from "../script.ts";

const EHLO = "EHLO client.example.test";

type Situation = {
  readonly server: (directives: string) => ServerSpec;
  readonly moves: readonly Step[];
  readonly upstreams: Readonly<Record<string, Upstream>>;
};

const replies = (verb: string, text: string | null): Upstream => ({ replies: { [verb]: text } });

const situations: Readonly<Record<string, Situation>> = {
  IMAP: {
    server: imap,
    moves: ["a LOGIN anna secret", "b NOOP"],
    upstreams: {
      "a greeting of BYE": { greeting: "* BYE overloaded\r\n" },
      "a greeting of NO": { greeting: "* NO go away\r\n" },
      "a greeting that makes no sense": { greeting: "Welcome!\r\n" },
      "a greeting with capabilities": { greeting: "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n" },
      "a greeting with LITERAL+": { greeting: "* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n" },
      "NO to the name's literal": replies("LITERAL 1", "a NO no names\r\n"),
      "NO to the password's literal": replies("LITERAL 2", "a NO no passwords\r\n"),
      "BAD to the password's literal": replies("LITERAL 2", "a BAD no passwords\r\n"),
      "a wordless plus": replies("LITERAL", "+ \r\n"),
      "a greeting of two lines": { greeting: "* BYE one\r\n* BYE two\r\n" },
      "a greeting that fills the buffer": { greeting: `* OK ${"x".repeat(6000)}` },
      "a long greeting": { greeting: `* OK ${"x".repeat(3000)}\r\n` },
      "an answer that fills the buffer": replies("LOGIN", `TAG OK ${"x".repeat(6000)}`),
      "NO to the login": replies("LOGIN", "TAG NO [AUTHENTICATIONFAILED] wrong\r\n"),
      "BAD to the login": replies("LOGIN", "TAG BAD wrong\r\n"),
      "another tag": replies("LOGIN", "x OK logged in\r\n"),
      "BYE to the login": replies("LOGIN", "* BYE too many\r\n"),
      "capabilities before the OK": replies(
        "LOGIN",
        "* CAPABILITY IMAP4rev1 IDLE\r\nTAG OK in\r\n",
      ),
      "two untagged lines before the OK": replies("LOGIN", "* 1 X\r\n* 2 Y\r\nTAG OK in\r\n"),
      "an OK in small letters": replies("LOGIN", "TAG ok in\r\n"),
      "an untagged line before the NO": replies("LOGIN", "* OK hm\r\nTAG NO wrong\r\n"),
      "an untagged line behind the OK": replies("LOGIN", "TAG OK in\r\n* 1 EXISTS\r\n"),
      "a hang-up at the name": replies("LITERAL 1", null),
      "a hang-up at the password": replies("LITERAL 2", null),
      "a hang-up at the login": replies("LOGIN", null),
    },
  },
  POP3: {
    server: pop3,
    moves: ["USER anna", "PASS secret", "NOOP"],
    upstreams: {
      "a greeting of -ERR": { greeting: "-ERR overloaded\r\n" },
      "a greeting that makes no sense": { greeting: "Welcome!\r\n" },
      "a greeting with a salt": { greeting: "+OK ready <1.2@upstream>\r\n" },
      "-ERR to USER": replies("USER", "-ERR no such user\r\n"),
      "-ERR to PASS": replies("PASS", "-ERR [AUTH] wrong\r\n"),
      "an answer to PASS that makes no sense": replies("PASS", "what?\r\n"),
      "a bare +OK": replies("PASS", "+OK\r\n"),
      "a greeting of two lines": { greeting: "-ERR one\r\n-ERR two\r\n" },
      "a greeting that fills the buffer": { greeting: `+OK ${"x".repeat(6000)}` },
      "an answer that fills the buffer": replies("PASS", `+OK ${"x".repeat(6000)}`),
      "a bare -ERR": replies("PASS", "-ERR\r\n"),
      "a hang-up at USER": replies("USER", null),
      "a hang-up at PASS": replies("PASS", null),
    },
  },
  "SMTP with a login": {
    server: (directives) => smtp(`proxy_smtp_auth on; ${directives}`),
    moves: [EHLO, `AUTH PLAIN ${base64("\0anna\0secret")}`, "MAIL FROM:<a@example.test>"],
    upstreams: {
      "a greeting of 554": { greeting: "554 5.3.2 no service\r\n" },
      "a greeting of 421": { greeting: "421 4.3.2 later\r\n" },
      "a greeting in lines": { greeting: "220-upstream\r\n220-is\r\n220 ready\r\n" },
      "a refusal in lines": { greeting: "554-upstream\r\n554 says no\r\n" },
      "502 to EHLO": replies("EHLO", "502 5.5.1 what?\r\n"),
      "a long list of extensions": replies(
        "EHLO",
        `${Array.from({ length: 40 }, (_, n) => `250-X-EXTENSION-${n}\r\n`).join("")}250 END\r\n`,
      ),
      "550 to XCLIENT": replies("XCLIENT", "550 5.7.0 not you\r\n"),
      "250 to XCLIENT": replies("XCLIENT", "250 2.0.0 fine\r\n"),
      "550 to the second EHLO": replies("EHLO 2", "550 5.7.0 not again\r\n"),
      "535 to AUTH": replies("AUTH", "535 5.7.8 wrong\r\n"),
      "535 to AUTH in lines": replies("AUTH", "535-5.7.8 wrong\r\n535 5.7.8 really\r\n"),
      "235 in lines": replies("AUTH", "235-2.7.0 well\r\n235 2.7.0 done\r\n"),
      "454 to AUTH": replies("AUTH", "454 4.7.0 later\r\n"),
      "334 to AUTH": replies("AUTH", "334 \r\n"),
      "a greeting that fills the buffer": { greeting: `220 ${"x".repeat(6000)}` },
      "lines that fill the buffer": replies("EHLO", "250-X-ANY\r\n".repeat(600)),
      "a hang-up at EHLO": replies("EHLO", null),
      "a hang-up at XCLIENT": replies("XCLIENT", null),
      "a hang-up at AUTH": replies("AUTH", null),
    },
  },
  "SMTP without a login": {
    server: (directives) => smtp(`smtp_auth none; ${directives}`),
    moves: [EHLO, "MAIL FROM:<a@example.test>", "RCPT TO:<b@example.test>", "DATA"],
    upstreams: {
      "550 to MAIL": replies("MAIL", "550 5.1.8 not from there\r\n"),
      "550 to MAIL in lines": replies("MAIL", "550-5.1.8 not\r\n550 5.1.8 from there\r\n"),
      "251 to MAIL": replies("MAIL", "251 2.1.0 somehow\r\n"),
      "550 to XCLIENT": replies("XCLIENT", "550 5.7.0 not you\r\n"),
      "a hang-up at MAIL": replies("MAIL", null),
      "a hang-up at RCPT": replies("RCPT", null),
    },
  },
};

function scripts({ server, moves: said, upstreams }: Situation): readonly Script[] {
  return ["on", "off"].flatMap((pass) =>
    Object.entries(upstreams).map(([name, upstream]) => ({
      name: `${name}, proxy_pass_error_message ${pass}`,
      server: server(`proxy_pass_error_message ${pass}; timeout 2s;`),
      moves: moves(...said),
      upstream,
    })),
  );
}

const logins = {
  imap: ["a LOGIN anna secret"],
  pop3: ["USER anna", "PASS secret"],
  smtp: [`AUTH PLAIN ${base64("\0anna\0secret")}`],
};

/** Ends of sessions that have logged in. */
const proxied = (["imap", "pop3", "smtp"] as const).flatMap((protocol): readonly Script[] => {
  const server = { imap, pop3, smtp }[protocol];
  const command = { imap: "b XBYE", pop3: "XBYE", smtp: "XBYE" }[protocol];
  return [
    {
      name: `${protocol}: the upstream hangs up at a command`,
      server: server(),
      moves: moves(...logins[protocol], command),
      upstream: replies("XBYE", null),
    },
    {
      name: `${protocol}: commands in one write, and in pieces`,
      server: server(),
      moves: moves(
        ...logins[protocol],
        together("x NOOP 1", "x NOOP 2"),
        raw("x NO", 0),
        raw("OP\r\n"),
      ),
    },
    {
      name: `${protocol}: no bytes for proxy_timeout`,
      server: server("proxy_timeout 1s;"),
      moves: moves(...logins[protocol], untilClosed),
    },
    {
      name: `${protocol}: the upstream says nothing for the length of timeout`,
      server: server("timeout 3s;"),
      moves: moves(...logins[protocol]),
      upstream: { greeting: "" },
    },
    {
      name: `${protocol}: the client says nothing for the length of timeout`,
      server: server("timeout 1s;"),
      moves: [untilClosed],
    },
    {
      name: `${protocol}: the client says half a command and no more`,
      server: server("timeout 1s;"),
      moves: [raw("NOO", 0), untilClosed],
    },
    {
      name: `${protocol}: the upstream hears of the client by the PROXY protocol`,
      server: server("proxy_protocol on;"),
      moves: moves(...logins[protocol], command),
    },
    {
      name: `${protocol}: the client says that it leaves, and goes`,
      server: server(),
      moves: moves(...logins[protocol]),
      leavesSilently: true,
    },
    {
      name: `${protocol}: the client goes without a word`,
      server: server(),
      moves: [],
      leavesSilently: true,
    },
  ];
});

export const upstreamTopics: readonly Topic[] = [
  ...Object.entries(situations).map(([name, situation]) => ({
    name: `Upstreams of ${name}`,
    scripts: scripts(situation),
  })),
  { name: "Sessions that end", scripts: proxied },
];
