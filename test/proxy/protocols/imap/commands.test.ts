import assert from "node:assert/strict";
import { test } from "node:test";
import { clearClient, tlsClient, inShort } from "../../../support/proxy/protocol-client.ts";

test("the greeting is nginx's", () => {
  assert.equal(clearClient("imap").handler.greeting(), "* OK IMAP4 ready\r\n");
});

const ANSWERS: Record<string, string> = {
  "a CAPABILITY": "* CAPABILITY IMAP4 IMAP4rev1 UIDPLUS AUTH=PLAIN\r\na OK completed",
  "a capability with arguments":
    "* CAPABILITY IMAP4 IMAP4rev1 UIDPLUS AUTH=PLAIN\r\na OK completed",
  "a NOOP": "a OK completed",
  "A1.b-c_D NOOP": "A1.b-c_D OK completed",
  "a  NOOP  ": "a OK completed",
  "a LOGOUT": "* BYE\r\na OK completed <close>",
  "a STARTTLS": "a BAD invalid command",
  "a SELECT INBOX": "a BAD invalid command",
  "a LOGIN": "a BAD invalid command",
  "a LOGIN anna": "a BAD invalid command",
  "a LOGIN anna secret more": "a BAD invalid command",
  "a LOGIN a b c d": "a BAD invalid command",
  'a LOGIN "" secret': "a BAD invalid command",
  a: "* BAD invalid command",
  "": "* BAD invalid command",
  " NOOP": "* BAD invalid command",
  "a+b NOOP": "* BAD invalid command",
  "a\u0000 NOOP": "* BAD invalid command",
  "a N00P": "a BAD invalid command",
};
for (const [line, answer] of Object.entries(ANSWERS)) {
  test(`${JSON.stringify(line)} is answered as nginx answers it`, () => {
    assert.equal(clearClient("imap").say(line), answer);
  });
}

test("a tag has at most 32 characters", () => {
  assert.equal(clearClient("imap").say(`${"t".repeat(32)} NOOP`), `${"t".repeat(32)} OK completed`);
  assert.equal(clearClient("imap").say(`${"t".repeat(33)} NOOP`), "* BAD invalid command");
});

test("a bare LF ends a command", () => {
  assert.deepEqual(clearClient("imap").send("a NOOP\nb NOOP\n").map(inShort), [
    "a OK completed",
    "b OK completed",
  ]);
});

test("a CR within a line makes it invalid, and the reply carries its tag", () => {
  assert.equal(clearClient("imap").say("a NO\rOP"), "a BAD invalid command");
});

test("the reply to a broken line does not carry the tag of the line before", () => {
  const client = clearClient("imap");
  client.say("a NOOP");
  assert.equal(client.say("?"), "* BAD invalid command");
});

const CAPABILITIES = {
  "without STARTTLS": ["off", "imap", "AUTH=PLAIN AUTH=LOGIN"],
  "with STARTTLS offered": ["on", "imap", "AUTH=PLAIN AUTH=LOGIN STARTTLS"],
  "with STARTTLS required": ["only", "imap", "STARTTLS LOGINDISABLED"],
} as const;
for (const [name, [starttls, , words]] of Object.entries(CAPABILITIES)) {
  const changes = {
    starttls,
    imap_auth: ["plain", "login"],
    imap_capabilities: ["IMAP4rev1", "X"],
  };

  test(`the capabilities in the clear ${name}`, () => {
    const expected = `* CAPABILITY IMAP4rev1 X ${words}\r\na OK completed`;
    assert.equal(clearClient("imap", changes).say("a CAPABILITY"), expected);
  });

  test(`the capabilities under TLS ${name} list mechanisms only`, () => {
    const expected = "* CAPABILITY IMAP4rev1 X AUTH=PLAIN AUTH=LOGIN\r\na OK completed";
    assert.equal(tlsClient("imap", changes).say("a CAPABILITY"), expected);
    const upgraded = clearClient("imap", changes);
    if (starttls === "off") return;
    upgraded.say("a STARTTLS");
    upgraded.secure();
    assert.equal(upgraded.say("a CAPABILITY"), expected);
  });
}

test("STARTTLS is accepted once, where it is offered", () => {
  for (const starttls of ["on", "only"] as const) {
    const client = clearClient("imap", { starttls });
    assert.equal(client.say("a starttls"), "a OK completed <tls>");
    client.secure();
    assert.equal(client.say("b STARTTLS"), "b BAD invalid command");
    assert.equal(tlsClient("imap", { starttls }).say("a STARTTLS"), "a BAD invalid command");
  }
});

test("where TLS is required, no login is accepted in the clear", () => {
  const client = clearClient("imap", { starttls: "only" });
  assert.equal(client.say("a LOGIN anna secret"), "a BAD invalid command");
  assert.equal(client.say("b AUTHENTICATE PLAIN AGFubmEAc2VjcmV0"), "b BAD invalid command");
  client.say("c STARTTLS");
  client.secure();
  assert.equal(client.say("d LOGIN anna secret"), "<plain|anna|secret>");
});

test("refusals carry the tag of the login", () => {
  const client = clearClient("imap");
  client.say("a1 LOGIN anna wrong");
  assert.equal(client.handler.refused("Invalid login", "535"), "a1 NO Invalid login\r\n");
  assert.match(client.handler.unavailable(), /^a1 NO \[UNAVAILABLE\] .*\r\n$/);
  assert.match(client.handler.shuttingDown(), /^\* BYE .*\r\n$/);
});
