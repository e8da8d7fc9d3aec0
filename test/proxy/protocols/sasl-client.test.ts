// The mechanism by which an account is authenticated at an upstream, and its messages.
import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  parseOauthbearer,
  parseXoauth2,
  formatOauthbearer,
  formatXoauth2,
} from "../../../proxy/protocols/oauth.ts";
import type { Account } from "../../../proxy/protocols/index.ts";
import { clearClient } from "../../support/proxy/protocol-client.ts";
import { type Played, logIn } from "../../support/proxy/login-script.ts";
import { inputs } from "../../support/property.ts";

const TOKEN = "ya29.token/+x==";
const XOAUTH2 = btoa(`user=anna\u0001auth=Bearer ${TOKEN}\u0001\u0001`);
const OAUTHBEARER = btoa(`n,a=anna,\u0001auth=Bearer ${TOKEN}\u0001\u0001`);
const AS_PASSWORD = btoa(`\0anna\0${TOKEN}`);
const FAILURE = btoa('{"status":"401"}');

type Bearer = NonNullable<Account["bearer"]>;

/** Logs in with a token at an upstream that offers these mechanisms and then sends these answers. */
const loginWithToken = {
  imap(bearer: Bearer, mechanisms: readonly string[], ...answers: readonly string[]): Played {
    const client = clearClient("imap");
    client.say("a LOGIN anna secret");
    const words = ["IMAP4rev1", "SASL-IR", ...mechanisms.map((name) => `AUTH=${name}`)];
    const greeting = `* OK [CAPABILITY ${words.join(" ")}] hi`;
    return logIn(client, [greeting, ...answers], { password: TOKEN, bearer });
  },
  pop3(bearer: Bearer, mechanisms: readonly string[], ...answers: readonly string[]): Played {
    const capa = ["+OK", `SASL ${mechanisms.join(" ")}`, "."];
    return logIn(clearClient("pop3"), ["+OK", ...capa, ...answers], { password: TOKEN, bearer });
  },
  smtp(bearer: Bearer, mechanisms: readonly string[], ...answers: readonly string[]): Played {
    const client = clearClient("smtp", { proxy_smtp_auth: true, xclient: false });
    const lines = ["220 hi", "250-mx", `250 AUTH ${mechanisms.join(" ")}`];
    return logIn(client, [...lines, ...answers], { password: TOKEN, bearer });
  },
};

describe("a bearer token", () => {
  const COMMAND = { imap: "a AUTHENTICATE", pop3: "AUTH", smtp: "AUTH" };
  const YES = { imap: "a OK in", pop3: "+OK in", smtp: "235 in" };
  const NO = { imap: "a NO [AUTHENTICATIONFAILED] no", pop3: "-ERR [AUTH] no", smtp: "535 no" };
  const CHALLENGE = { imap: "+", pop3: "+", smtp: "334" };
  const BOTH = ["PLAIN", "OAUTHBEARER", "XOAUTH2"];

  for (const protocol of ["imap", "pop3", "smtp"] as const) {
    const command = COMMAND[protocol];
    const CHOICES: readonly [bearer: Bearer, offered: readonly string[], said: string][] = [
      ["xoauth2", BOTH, `XOAUTH2 ${XOAUTH2}`],
      ["oauthbearer", BOTH, `OAUTHBEARER ${OAUTHBEARER}`],
      ["xoauth2", ["OAUTHBEARER", "PLAIN"], `OAUTHBEARER ${OAUTHBEARER}`],
      ["oauthbearer", ["XOAUTH2"], `XOAUTH2 ${XOAUTH2}`],
      ["oauthbearer", ["LOGIN", "PLAIN"], `PLAIN ${AS_PASSWORD}`],
    ];
    for (const [bearer, offered, said] of CHOICES) {
      test(`from a client with ${bearer} goes to an ${protocol} upstream that offers ${offered.join(", ")} as ${said.split(" ")[0]}`, () => {
        const { sent, end } = loginWithToken[protocol](bearer, offered, YES[protocol]);
        assert.equal(sent.at(-1), `${command} ${said}\r\n`);
        assert.equal(end?.kind, "accepted");
      });
    }

    for (const [bearer, answer] of [
      ["xoauth2", ""],
      ["oauthbearer", "AQ=="],
    ] as const) {
      test(`that fails by ${bearer} at an ${protocol} upstream leads to the answer that ends the exchange (RFC 7628 section 3.2.3)`, () => {
        const challenge = `${CHALLENGE[protocol]} ${FAILURE}`;
        const { sent, end } = loginWithToken[protocol](bearer, BOTH, challenge, NO[protocol]);
        assert.equal(sent.at(-1), `${answer}\r\n`);
        assert.deepEqual(end, { kind: "refused", reply: `${NO[protocol]}\r\n` });
      });
    }
  }

  test("is sent as a password where the upstream does not know SASL", () => {
    const imap = loginWithToken.imap("xoauth2", [], "+ ", "+ ", "a OK in");
    assert.equal(imap.sent.at(-1), `${TOKEN}\r\n`);
    const client = clearClient("pop3");
    const pop3 = logIn(client, ["+OK", "-ERR what", "+OK", "+OK"], {
      password: TOKEN,
      bearer: "xoauth2",
    });
    assert.deepEqual(pop3.sent, ["CAPA\r\n", "USER anna\r\n", `PASS ${TOKEN}\r\n`]);
  });

  test("is not sent where the upstream accepts neither tokens nor passwords", () => {
    assert.deepEqual(loginWithToken.pop3("xoauth2", ["GSSAPI"]).end, {
      kind: "impossible",
      name: "user name",
      reason: "upstream does not accept passwords (its capabilities lack USER)",
    });
    assert.deepEqual(loginWithToken.smtp("xoauth2", ["GSSAPI"]).end, {
      kind: "impossible",
      name: "AUTH",
      reason: "upstream offers no usable AUTH mechanism",
    });
  });

  test("is not sent to an SMTP upstream without proxy_smtp_auth", () => {
    const client = clearClient("smtp", { xclient: false });
    const account = { password: TOKEN, bearer: "xoauth2" } as const;
    const { sent } = logIn(client, ["220 hi", "250 mx"], account);
    assert.deepEqual(sent, ["HELO mx.example.test\r\n"]);
  });
});

describe("a message is parsed as it was formatted:", () => {
  const user = fc.string({ unit: "binary-ascii" }).filter((text) => !text.includes("\u0001"));
  const token = fc.stringMatching(/^[A-Za-z0-9._~+/-]+=*$/);

  test("XOAUTH2", () => {
    fc.assert(
      fc.property(user, token, (name, secret) => {
        const bearer = { user: `u${name}`, token: secret };
        assert.deepEqual(parseXoauth2(formatXoauth2(bearer)), bearer);
      }),
      inputs(),
    );
  });

  test("OAUTHBEARER", () => {
    fc.assert(
      fc.property(user, token, (name, secret) => {
        const bearer = { user: name, token: secret };
        assert.deepEqual(parseOauthbearer(formatOauthbearer(bearer)), bearer);
      }),
      inputs(),
    );
  });
});

test("no password is sent where the greeting says LOGINDISABLED", () => {
  const client = clearClient("imap");
  client.say("a LOGIN anna secret");
  const greet = (words: string) => logIn(client, [`* OK [CAPABILITY ${words}] hi`]);
  assert.deepEqual(greet("IMAP4rev1 STARTTLS LOGINDISABLED").end, {
    kind: "impossible",
    name: "LOGIN command",
    reason: "upstream does not accept passwords (LOGINDISABLED)",
  });
  assert.deepEqual(greet("IMAP4rev1 LOGINDISABLED AUTH=PLAIN").sent, ["a AUTHENTICATE PLAIN\r\n"]);
});
