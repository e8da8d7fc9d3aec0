// STARTTLS towards an upstream, in the three protocols.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clearClient } from "../../support/proxy/protocol-client.ts";
import { type Played, logIn } from "../../support/proxy/login-script.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";

/** The login of a client, tagged a1 in IMAP, at an upstream with STARTTLS. */
function starttls(protocol: ProtocolName, lines: readonly string[]): Played {
  const client = clearClient(protocol, { proxy_smtp_auth: true, xclient: false });
  if (protocol === "imap") client.say("a1 LOGIN anna secret");
  return logIn(client, lines, {}, "starttls");
}

const PLAIN = btoa("\0anna\0secret");

describe("imap", () => {
  const CAPABILITY = "postern CAPABILITY\r\n";
  const STARTTLS = "postern STARTTLS\r\n";
  const offering = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready";
  const begun = [offering, "postern OK begin"];
  const under = (words: string): string[] => [`* CAPABILITY ${words}`, "postern OK done"];

  test("capabilities in the greeting save one CAPABILITY, but not the one under TLS", () => {
    const { sent } = starttls("imap", [...begun, ...under("IMAP4rev1")]);
    assert.deepEqual(sent, [STARTTLS, "<tls>", CAPABILITY, "a1 LOGIN {4}\r\n"]);
  });

  test("a greeting without capabilities is followed by CAPABILITY", () => {
    const lines = ["* OK ready", ...under("IMAP4rev1 STARTTLS"), "postern OK begin"];
    assert.deepEqual(starttls("imap", lines).sent, [CAPABILITY, STARTTLS, "<tls>", CAPABILITY]);
  });

  test("capabilities from before TLS are forgotten: LITERAL+, SASL-IR and AUTH=PLAIN", () => {
    const lines = [
      "* OK [CAPABILITY IMAP4rev1 STARTTLS LITERAL+ SASL-IR AUTH=PLAIN] ready",
      "* CAPABILITY LITERAL+ AUTH=PLAIN",
      "postern OK [CAPABILITY LITERAL+ AUTH=PLAIN] begin",
      ...under("IMAP4rev1"),
    ];
    assert.equal(starttls("imap", lines).sent.at(-1), "a1 LOGIN {4}\r\n");
  });

  const LOGINS: readonly [words: string, said: string, answers: string[]][] = [
    ["LITERAL+", "a1 LOGIN {4+}\r\nanna {6+}\r\nsecret\r\n", []],
    ["AUTH=PLAIN SASL-IR", `a1 AUTHENTICATE PLAIN ${PLAIN}\r\n`, []],
    ["AUTH=PLAIN", `${PLAIN}\r\n`, ["+ "]],
    ["AUTH=PLAIN LOGINDISABLED", `${PLAIN}\r\n`, ["+"]],
    ["AUTH=LOGIN", `${btoa("secret")}\r\n`, ["+ VXNlcm5hbWU6", "+ UGFzc3dvcmQ6"]],
    ["AUTH=CRAM-MD5 LITERAL-", "a1 LOGIN {4+}\r\nanna {6+}\r\nsecret\r\n", []],
  ];
  for (const [words, said, answers] of LOGINS) {
    test(`with ${words} under TLS the login is ${said.split("\r\n")[0]}`, () => {
      const lines = [...begun, ...under(words), ...answers];
      const { sent, end } = starttls("imap", [...lines, "* CAPABILITY IDLE", "a1 OK in"]);
      assert.equal(sent.at(-1), said);
      assert.deepEqual(end, { kind: "accepted", reply: "* CAPABILITY IDLE\r\na1 OK in\r\n" });
    });
  }

  test("an upstream's refusal is passed on whole, with its code (RFC 5530)", () => {
    const no = "a1 NO [INUSE] locked";
    const { end } = starttls("imap", [...begun, ...under("AUTH=PLAIN"), "+ ", "* OK hm", no]);
    assert.deepEqual(end, { kind: "refused", reply: `* OK hm\r\n${no}\r\n` });
  });

  test("a challenge after the last message is a refusal", () => {
    const { end } = starttls("imap", [...begun, ...under("AUTH=PLAIN"), "+ ", "+ more"]);
    assert.equal(end?.kind, "refused");
  });

  test("a PREAUTH greeting is not accepted", () => {
    assert.equal(starttls("imap", ["* PREAUTH welcome"]).end?.kind, "unready");
  });

  const FAILURES: readonly [what: string, lines: string[], why: RegExp][] = [
    ["a greeting without it", ["* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi"], /not offer STARTTLS/],
    ["capabilities without it", ["* OK hi", ...under("IMAP4rev1")], /not offer STARTTLS/],
    ["no capabilities", ["* OK hi", "postern OK done"], /not list its capabilities/],
    [
      "a refusal",
      [offering, "* OK hm", "postern NO later"],
      /refused STARTTLS command: ".*later"/s,
    ],
    ["an answer with another tag", [offering, "a1 OK begin"], /refused STARTTLS/],
    ["an answer that asks for more", [offering, "+ go on"], /refused STARTTLS/],
    ["BYE under TLS", [...begun, "* BYE", "postern BAD no"], /refused CAPABILITY/],
  ];
  for (const [what, lines, why] of FAILURES) {
    test(`${what} ends the login`, () => {
      assert.throws(() => starttls("imap", lines), why);
    });
  }
});

describe("no password is sent where, under TLS,", () => {
  const NONE: Record<string, Played> = {
    "imap accepts none": starttls("imap", [
      "* OK [CAPABILITY STARTTLS AUTH=PLAIN] hi",
      "postern OK",
      "* CAPABILITY LOGINDISABLED AUTH=GSSAPI",
      "postern OK",
    ]),
    "pop3 accepts none": starttls(
      "pop3",
      "+OK|+OK|STLS|SASL PLAIN|.|+OK|+OK|SASL GSSAPI|.".split("|"),
    ),
    "smtp no longer offers AUTH": starttls(
      "smtp",
      "220 hi|250-STARTTLS|250 AUTH PLAIN|220 go|250 mx".split("|"),
    ),
    "smtp offers no usable mechanism": starttls(
      "smtp",
      "220 hi|250 STARTTLS|220 go|250 AUTH CRAM-MD5 GSSAPI".split("|"),
    ),
  };
  for (const [what, { sent, end }] of Object.entries(NONE)) {
    test(what, () => {
      assert.equal(end?.kind, "impossible");
      assert.doesNotMatch(sent.join(""), /secret|AUTH /);
    });
  }
});

describe("pop3", () => {
  const capa = (...words: readonly string[]): string[] => ["+OK list", ...words, "."];
  const begun = ["+OK hi", ...capa("STLS", "USER"), "+OK begin"];
  const before = ["CAPA\r\n", "STLS\r\n", "<tls>", "CAPA\r\n"];

  test("CAPA, STLS, TLS, CAPA, USER, PASS", () => {
    const { sent, end } = starttls("pop3", [...begun, ...capa("USER"), "+OK", "+OK in"]);
    assert.deepEqual(sent, [...before, "USER anna\r\n", "PASS secret\r\n"]);
    assert.deepEqual(end, { kind: "accepted", reply: "+OK in\r\n" });
  });

  test("an upstream without CAPA under TLS gets USER and PASS", () => {
    const { sent } = starttls("pop3", [...begun, "-ERR what", "+OK", "+OK in"]);
    assert.deepEqual(sent, [...before, "USER anna\r\n", "PASS secret\r\n"]);
  });

  test("SASL PLAIN saves a round trip", () => {
    const lines = [...begun, ...capa("USER", "SASL CRAM-MD5 PLAIN"), "+OK in"];
    assert.deepEqual(starttls("pop3", lines).sent, [...before, `AUTH PLAIN ${PLAIN}\r\n`]);
  });

  test("a response beyond 255 bytes waits for its challenge (RFC 5034)", () => {
    const password = "x".repeat(200);
    const client = clearClient("pop3");
    const lines = [...begun, ...capa("SASL PLAIN"), "+ ", "+OK in"];
    const { sent } = logIn(client, lines, { password }, "starttls");
    assert.deepEqual(sent.slice(4), ["AUTH PLAIN\r\n", `${btoa(`\0anna\0${password}`)}\r\n`]);
  });

  const FAILURES: readonly [what: string, lines: string[], why: RegExp][] = [
    ["CAPA without it", ["+OK hi", ...capa("USER", "STLSX")], /not offer STLS/],
    ["no CAPA", ["+OK hi", "-ERR what"], /not offer STLS/],
    ["a refusal", ["+OK hi", ...capa("STLS"), "-ERR not now"], /refused STLS: "-ERR not now"/],
  ];
  for (const [what, lines, why] of FAILURES) {
    test(`${what} ends the login`, () => {
      assert.throws(() => starttls("pop3", lines), why);
    });
  }
});

describe("smtp", () => {
  const EHLO = "EHLO mx.example.test\r\n";
  const begun = ["220 hi", "250-mx", "250 STARTTLS", "220 begin"];
  const before = [EHLO, "STARTTLS\r\n", "<tls>", EHLO];

  test("EHLO, STARTTLS, TLS, EHLO, AUTH", () => {
    const { sent, end } = starttls("smtp", [...begun, "250-mx", "250 AUTH LOGIN PLAIN", "235 in"]);
    assert.deepEqual(sent, [...before, `AUTH PLAIN ${PLAIN}\r\n`]);
    assert.deepEqual(end, { kind: "accepted", reply: "235 2.0.0 OK\r\n" });
  });

  test("AUTH LOGIN in steps where the upstream offers nothing better", () => {
    const lines = [...begun, "250-mx", "250 AUTH=LOGIN", "334 a", "334 b", "235 in"];
    const { sent, end } = starttls("smtp", lines);
    assert.deepEqual(sent.slice(4), [
      "AUTH LOGIN\r\n",
      `${btoa("anna")}\r\n`,
      `${btoa("secret")}\r\n`,
    ]);
    assert.equal(end?.kind, "accepted");
  });

  test("a response beyond 512 bytes waits for its challenge (RFC 4954)", () => {
    const password = "x".repeat(400);
    const lines = [...begun, "250 AUTH PLAIN", "334 ", "235 in"];
    const client = clearClient("smtp", { proxy_smtp_auth: true, xclient: false });
    const { sent } = logIn(client, lines, { password }, "starttls");
    assert.deepEqual(sent.slice(4), ["AUTH PLAIN\r\n", `${btoa(`\0anna\0${password}`)}\r\n`]);
  });

  test("XCLIENT and the transaction follow TLS, as nginx sends them", () => {
    const client = clearClient("smtp", { smtp_auth: ["none"] });
    for (const line of ["EHLO laptop", "MAIL FROM:<a@b>", "RCPT TO:<b@c>"]) client.say(line);
    const lines = [...begun, "250 mx", "220 ok", "250 mx", "250 ok", "250 ok"];
    const { sent, end } = logIn(client, lines, { login: "", password: null }, "starttls");
    assert.deepEqual(sent.slice(4), [
      "XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]\r\n",
      "EHLO laptop\r\n",
      "MAIL FROM:<a@b>\r\n",
      "RCPT TO:<b@c>\r\n",
    ]);
    assert.equal(end?.kind, "accepted");
  });

  test("a refused EHLO under TLS is a refusal", () => {
    const { end } = starttls("smtp", [...begun, "421 busy"]);
    assert.deepEqual(end, { kind: "refused", reply: "421 busy\r\n" });
  });

  const FAILURES: readonly [what: string, lines: string[], why: RegExp][] = [
    ["no extension", ["220 hi", "250-mx", "250 SIZE"], /not offer STARTTLS/],
    ["a refusal", [...begun.slice(0, 3), "454-not", "454 now"], /refused STARTTLS: "454-not/],
  ];
  for (const [what, lines, why] of FAILURES) {
    test(`${what} ends the login`, () => {
      assert.throws(() => starttls("smtp", lines), why);
    });
  }
});
