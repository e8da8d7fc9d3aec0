import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Answer, type Harness, startHarness } from "../../support/worker/harness.ts";

let worker: Harness;

before(async () => {
  const passwordHash = "x";
  worker = await startHarness({
    vars: { DEFAULT_DOMAIN: "example.test" },
    seed: {
      groups: [
        { name: "one" },
        { name: "two", policy: "hash" },
        { name: "world", policy: "nearest", storage: "shared" },
      ],
      servers: [
        { name: "one-1", group: "one", host: "192.0.2.1", smtpPort: 25 },
        { name: "two-1", group: "two", host: "192.0.2.2", smtpPort: 2525 },
        { name: "two-2", group: "two", host: "192.0.2.3", imapPort: 143 },
        { name: "world-1", group: "world", host: "192.0.2.4", smtpPort: 25 },
      ],
      users: [
        { address: "alice@example.test", group: "one", passwordHash },
        { address: "away@example.test", group: "one", enabled: false, passwordHash },
        { address: "bob@elsewhere.test", group: "one", upstreamLogin: "robert", passwordHash },
        { address: "carol@closed.test", group: "one", passwordHash },
        { address: "dan@nowhere.test", group: "world", passwordHash },
        { address: "a+b@example.test", group: "two", passwordHash },
        { address: "john doe@example.test", group: "two", passwordHash },
        { address: "m\u00e4rz@xn--bcher-kva.test", group: "one", passwordHash },
      ],
      aliases: [
        { address: "sales@example.test", user: "alice@example.test" },
        { address: "postmaster@example.test", user: "alice@example.test" },
        { address: "bob@example.test", user: "bob@elsewhere.test" },
      ],
      domains: [
        { name: "example.test", group: "one" },
        { name: "any.test", group: "two", recipients: "any" },
        { name: "closed.test", group: "one", recipients: "none" },
        { name: "world.test", group: "world", recipients: "any" },
        { name: "xn--bcher-kva.test", group: "one" },
      ],
      networks: [
        { network: "10.0.0.0/8", prefix: 8, access: "deny" },
        { network: "172.16.0.0/12", prefix: 12, group: "two" },
      ],
    },
  });
});
after(() => worker.close());

function rcpt(command: string, client = "192.0.2.1"): Promise<Answer> {
  return worker.ask({
    "Client-IP": client,
    "Auth-Protocol": "smtp",
    "Auth-Method": "none",
    "Auth-User": "",
    "Auth-Pass": "",
    "Auth-SMTP-Helo": "mx.test",
    "Auth-SMTP-From": "MAIL FROM:<eve@mx.test>",
    "Auth-SMTP-To": command,
  });
}

for (const [command, server, port] of [
  ["RCPT TO:<alice@example.test>", "192.0.2.1", "25"],
  ["rcpt to: <Alice@EXAMPLE.test> NOTIFY=NEVER", "192.0.2.1", "25"],
  ["RCPT TO:<@relay.test,@other.test:alice@example.test>", "192.0.2.1", "25"],
  ["RCPT TO:<sales@example.test>", "192.0.2.1", "25"],
  ["RCPT TO:<away@example.test>", "192.0.2.1", "25"],
  ["RCPT TO:<bob@elsewhere.test>", "192.0.2.1", "25"],
  ["RCPT TO:<bob@example.test>", "192.0.2.1", "25"],
  ["RCPT TO:<whoever@any.test>", "192.0.2.2", "2525"],
  ["RCPT TO:<Postmaster>", "192.0.2.1", "25"],
  ["RCPT TO:<alice+shop@example.test>", "192.0.2.1", "25"],
  ["RCPT TO:<sales+x+y@example.test>", "192.0.2.1", "25"],
  ["RCPT TO:<a+b@example.test>", "192.0.2.2", "2525"],
  ['RCPT TO:<"alice"@example.test>', "192.0.2.1", "25"],
  ['RCPT TO:<"john\\ doe"@example.test>', "192.0.2.2", "2525"],
  ['RCPT TO:<"any thing <at> all"@any.test>', "192.0.2.2", "2525"],
  [latin1("RCPT TO:<M\u00c4RZ@B\u00fccher.test> SMTPUTF8"), "192.0.2.1", "25"],
] as const) {
  test(`${command} goes to ${server}, without a login`, async () => {
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
  ["RCPT TO:<nobody+alice@example.test>", "550 5.1.1"],
  ["RCPT TO:<+alice@example.test>", "550 5.1.1"],
  ["RCPT TO:<alice+x@unknown.test>", "550 5.7.1"],
  ['RCPT TO:<"alice@example.test"@unknown.test>', "550 5.7.1"],
  ['RCPT TO:<"alice@example.test">', "550 5.1.1"],
  ['RCPT TO:<"alice@example.test>', "550 5.1.1"],
  ["RCPT TO:<eve%evil.test@any.test>", "550 5.1.1"],
  ["RCPT TO:<evil.test!eve@any.test>", "550 5.1.1"],
  ['RCPT TO:<"eve@evil.test"@any.test>', "550 5.1.1"],
  ["RCPT TO:<alice+x@evil.test@example.test>", "550 5.1.1"],
  ["RCPT TO:<@any.test>", "550 5.1.1"],
  ["RCPT TO:<alice@example.test>, RCPT TO:<alice@example.test>", "550 5.1.1"],
  ["RCPT TO:<nobody>", "550 5.1.1"],
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

test("a denied network cannot deliver mail", async () => {
  for (const address of ["alice@example.test", "whoever@any.test", "x@unknown.test"]) {
    const { status, auth } = await rcpt(`RCPT TO:<${address}>`, "10.1.2.3");
    assert.equal(status, 200);
    assert.equal(auth["auth-error-code"], "550 5.7.1");
    assert.equal(auth["auth-status"], "Not from this network");
  }
});

test("a rule for the client's network also chooses the server for unknown recipients", async () => {
  for (const [client, server] of [
    ["192.0.2.1", "192.0.2.4"],
    ["172.16.0.1", "192.0.2.2"],
  ] as const) {
    const { auth } = await rcpt("RCPT TO:<whoever@world.test>", client);
    assert.equal(auth["auth-server"], server);
  }
});

/** `fetch` wants one character for each byte. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}
