import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ProtocolClient, clearClient } from "../../../support/proxy/protocol-client.ts";
import { logIn } from "../../../support/proxy/login-script.ts";

/** A client that has sent LOGIN with the tag a1. */
function loggingIn(): ProtocolClient {
  const client = clearClient("imap");
  client.say("a1 LOGIN anna secret");
  return client;
}

const GREETING = "* OK ready";
const SYNCHRONIZING = ["a1 LOGIN {4}\r\n", "anna {6}\r\n", "secret\r\n"];

test("login and password are sent as literals, each after the upstream's +", () => {
  const { sent, end } = logIn(loggingIn(), [GREETING, "+ ok", "+ ok", "a1 OK logged in"]);
  assert.deepEqual(sent, SYNCHRONIZING);
  assert.deepEqual(end, { kind: "accepted", reply: "a1 OK logged in\r\n" });
});

for (const word of ["LITERAL+", "LITERAL-", "literal+"]) {
  test(`with ${word} in the greeting, literals do not wait for +`, () => {
    const greeting = `* OK [CAPABILITY IMAP4rev1 ${word} IDLE] ready`;
    const { sent, end } = logIn(loggingIn(), [greeting, "a1 OK logged in"]);
    assert.deepEqual(sent, ["a1 LOGIN {4+}\r\nanna {6+}\r\nsecret\r\n"]);
    assert.equal(end?.kind, "accepted");
  });
}

test("LITERAL+ in the greeting's text, outside its capabilities, is ignored", () => {
  const { sent } = logIn(loggingIn(), ["* OK [CAPABILITY IMAP4rev1] LITERAL+ ready"]);
  assert.deepEqual(sent, SYNCHRONIZING.slice(0, 1));
});

test("a literal of more than 4,096 bytes waits for + even with LITERAL- (RFC 7888)", () => {
  const greeting = "* OK [CAPABILITY LITERAL-] ready";
  const account = { login: "anna", password: "x".repeat(4097) };
  assert.deepEqual(logIn(loggingIn(), [greeting], account).sent, ["a1 LOGIN {4}\r\n"]);
});

test("literals are counted in bytes", () => {
  const account = { login: "\xc3\xa4nna", password: "" };
  const { sent } = logIn(loggingIn(), [GREETING, "+ ", "+ ", "a1 OK"], account);
  assert.deepEqual(sent, ["a1 LOGIN {5}\r\n", "\xc3\xa4nna {0}\r\n", "\r\n"]);
});

test("untagged lines before the tagged one go to the client unchanged", () => {
  const untagged = ["* CAPABILITY IMAP4rev1 IDLE", "* OK [ALERT] disk full", "* 1 EXISTS"];
  const { end } = logIn(loggingIn(), [GREETING, "+ ", "+ ", ...untagged, "a1 OK done"]);
  assert.deepEqual(end, {
    kind: "accepted",
    reply: [...untagged, "a1 OK done", ""].join("\r\n"),
  });
});

test("untagged lines before a + are skipped", () => {
  const { sent } = logIn(loggingIn(), [GREETING, "* OK hold on", "+ ", "* OK hold on", "+ "]);
  assert.deepEqual(sent, SYNCHRONIZING);
});

test("status words are accepted in any case", () => {
  const { end } = logIn(loggingIn(), ["* ok ready", "+ ", "+ ", "a1 Ok done"]);
  assert.equal(end?.kind, "accepted");
});

describe("the login fails after", () => {
  const REFUSALS: Record<string, readonly string[]> = {
    "a BYE greeting": ["* BYE too busy"],
    "a PREAUTH greeting, which is another user's mailbox": ["* PREAUTH welcome root"],
    "a greeting of another protocol": ["220 smtp ready"],
    "a greeting that only begins like OK": ["* OKAY"],
    "NO to the password": [GREETING, "+ ", "+ ", "a1 NO wrong"],
    "BAD to the password": [GREETING, "+ ", "+ ", "a1 BAD what"],
    "NO to the command": [GREETING, "a1 NO logins are off"],
    "NO to the login": [GREETING, "+ ", "a1 NO unknown user"],
    "a reply with another tag": [GREETING, "+ ", "+ ", "a2 OK done"],
    "a word that only begins with OK": [GREETING, "+ ", "+ ", "a1 OKAY done"],
  };
  for (const [name, lines] of Object.entries(REFUSALS)) {
    test(name, () => {
      const { end } = logIn(loggingIn(), lines);
      const kind = lines.length === 1 ? "unready" : "refused";
      assert.deepEqual(end, { kind, reply: `${lines.at(-1)}\r\n` });
    });
  }

  test("BYE before the refusal, and the client is sent both", () => {
    const { end } = logIn(loggingIn(), [GREETING, "+ ", "+ ", "* BYE going", "a1 NO gone"]);
    assert.deepEqual(end, { kind: "refused", reply: "* BYE going\r\na1 NO gone\r\n" });
  });
});
