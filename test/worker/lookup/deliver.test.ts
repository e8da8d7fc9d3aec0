import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Answer, type Harness, startHarness } from "../../support/harness.ts";

let worker: Harness;

before(async () => {
  const passwordHash = "x";
  worker = await startHarness({
    seed: {
      groups: [{ name: "one" }, { name: "two", policy: "hash" }],
      servers: [
        { name: "one-1", group: "one", host: "192.0.2.1", smtpPort: 25 },
        { name: "two-1", group: "two", host: "192.0.2.2", smtpPort: 2525 },
        { name: "two-2", group: "two", host: "192.0.2.3", imapPort: 143 },
      ],
      users: [
        { address: "alice@example.test", group: "one", passwordHash },
        { address: "away@example.test", group: "one", enabled: false, passwordHash },
        { address: "bob@elsewhere.test", group: "one", upstreamLogin: "robert", passwordHash },
        { address: "carol@closed.test", group: "one", passwordHash },
      ],
      aliases: [{ address: "sales@example.test", user: "alice@example.test" }],
      domains: [
        { name: "example.test", group: "one" },
        { name: "any.test", group: "two", recipients: "any" },
        { name: "closed.test", group: "one", recipients: "none" },
      ],
      networks: [{ network: "198.51.100.0/24", prefix: 24, access: "deny" }],
    },
  });
});
after(() => worker.close());

function rcpt(command: string, headers: Record<string, string> = {}): Promise<Answer> {
  return worker.ask({
    "Auth-Protocol": "smtp",
    "Auth-Method": "none",
    "Auth-User": "",
    "Auth-Pass": "",
    "Auth-SMTP-Helo": "mx.test",
    "Auth-SMTP-From": "MAIL FROM:<eve@mx.test>",
    "Auth-SMTP-To": command,
    ...headers,
  });
}

for (const [command, server, port] of [
  ["RCPT TO:<alice@example.test>", "192.0.2.1", "25"],
  ["rcpt to: <Alice@EXAMPLE.test> NOTIFY=NEVER", "192.0.2.1", "25"],
  ["RCPT TO:<@relay.test,@other.test:alice@example.test>", "192.0.2.1", "25"],
  ["RCPT TO:<sales@example.test>", "192.0.2.1", "25"],
  ["RCPT TO:<away@example.test>", "192.0.2.1", "25"],
  ["RCPT TO:<bob@elsewhere.test>", "192.0.2.1", "25"],
  ["RCPT TO:<whoever@any.test>", "192.0.2.2", "2525"],
] as const) {
  test(`${command} goes to ${server}, and nobody is logged in there`, async () => {
    const { status, auth } = await rcpt(command);
    assert.equal(status, 200);
    assert.deepEqual(auth, { "auth-status": "OK", "auth-server": server, "auth-port": port });
  });
}

for (const [command, code] of [
  ["RCPT TO:<nobody@example.test>", "550 5.1.1"],
  ["RCPT TO:<carol@closed.test>", "550 5.7.1"],
  ["RCPT TO:<x@unknown.test>", "550 5.7.1"],
  ["RCPT TO:<alice@example.test@unknown.test>", "550 5.7.1"],
  ["RCPT TO:<>", "550 5.1.1"],
  ["RCPT TO:alice@example.test", "550 5.1.1"],
  ["", "550 5.1.1"],
] as const) {
  test(`${command} is refused with ${code}, and may be followed by another recipient`, async () => {
    const { status, auth } = await rcpt(command);
    assert.equal(status, 200);
    assert.equal(auth["auth-error-code"], code);
    assert.notEqual(auth["auth-status"], "OK");
    assert.equal(auth["auth-wait"], "1");
    assert.equal(auth["auth-server"], undefined);
  });
}

test("a network that is denied brings no mail either, to whomever", async () => {
  for (const recipient of ["alice@example.test", "whoever@any.test", "x@unknown.test"]) {
    const { auth } = await rcpt(`RCPT TO:<${recipient}>`, { "Client-IP": "198.51.100.1" });
    assert.equal(auth["auth-status"], "Not from this network");
    assert.equal(auth["auth-error-code"], "550 5.7.1");
  }
});
