import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Harness, startHarness } from "../../support/worker/harness.ts";

const MESSAGES = {
  imap: { "auth-status": "[UNAVAILABLE] Temporary failure, please try again later" },
  pop3: { "auth-status": "[SYS/TEMP] Temporary failure, please try again later" },
  smtp: {
    "auth-status": "Temporary failure, please try again later",
    "auth-error-code": "454 4.7.0",
  },
};

let worker: Harness;
before(async () => {
  const row = { group: "mail", server: "m1", password: "wonderland" };
  const hash = "$argon2id$v=19$m=9999999,t=9,p=1$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g";
  worker = await startHarness({
    // The discard port, where no server listens.
    vars: { DNS_OVER_HTTPS: "http://127.0.0.1:9/dns-query" },
    seed: {
      groups: [{ name: "mail" }],
      servers: [
        { name: "m1", group: "mail", host: "192.0.2.7", imapPort: 143 },
        { name: "named", group: "mail", host: "imap.example.test", imapPort: 143 },
        { name: "down", group: "mail", host: "192.0.2.9", imapPort: 143, state: "down" },
        { name: "broken", group: "mail", host: "m1.test\r\nauth-pass: x", imapPort: 143 },
      ],
      users: [
        { address: "alice@example.test", ...row },
        { address: "new@example.test", group: "mail", password: "wonderland" },
        { address: "named@example.test", ...row, server: "named" },
        { address: "broken@example.test", ...row, server: "broken" },
        { address: "down@example.test", ...row, server: "down" },
        { address: "hostile@example.test", group: "mail", server: "m1", passwordHash: hash },
        { address: "garbled@example.test", group: "mail", server: "m1", passwordHash: "x" },
      ],
    },
  });
});
after(() => worker.close());

for (const user of ["hostile@example.test", "garbled@example.test", "named@example.test"]) {
  test(`invalid data is a temporary failure, never a wrong password: ${user}`, async () => {
    const { status, auth } = await worker.ask({ "Auth-User": user });
    assert.equal(status, 503);
    assert.deepEqual(auth, MESSAGES.imap);
  });
}

test("a host that is not a header value is a temporary failure, and no header", async () => {
  const headers = { "Auth-User": "broken@example.test", "Auth-Accept": "hostname" };
  const { status, auth } = await worker.ask(headers);
  assert.equal(status, 503);
  assert.deepEqual(auth, MESSAGES.imap);
});

for (const user of [
  "hostile@example.test",
  "garbled@example.test",
  "named@example.test",
  "down@example.test",
]) {
  test(`a caller that caches hears of it as the worker's word, which no older reply replaces: ${user}`, async () => {
    const headers = { "Auth-User": user, "Auth-Accept": "fallback, cache" };
    const { status, auth, cacheControl } = await worker.ask(headers);
    assert.equal(status, 503);
    assert.deepEqual(auth, MESSAGES.imap);
    assert.equal(cacheControl, "no-store");
  });
}

test("the error in the data is logged, without the hash", () => {
  assert.match(worker.logs(), /the password hash of hostile@example.test cannot be read/);
  assert.match(worker.logs(), /cannot be answered: [^"]*(?:fetch|connect|network|resolver)/i);
  assert.doesNotMatch(worker.logs(), /argon2id/);
});

test("a full database places no user, and placed users still log in", async () => {
  const full = "begin select raise(abort, 'database or disk is full'); end";
  await worker.db.run(`create trigger full_users before update on users ${full}`);
  await worker.db.run(`create trigger full_networks before insert on known_networks ${full}`);
  try {
    const { status, auth } = await worker.ask({ "Auth-User": "new@example.test" });
    assert.equal(status, 503);
    assert.deepEqual(auth, MESSAGES.imap);
    assert.equal((await worker.ask()).auth["auth-status"], "OK");
  } finally {
    await worker.db.run("drop trigger full_users");
    await worker.db.run("drop trigger full_networks");
  }
});

test("a failing database is a temporary failure in each protocol's text", async () => {
  assert.equal((await worker.ask()).auth["auth-status"], "OK");
  await worker.db.run("alter table servers rename to gone");
  for (const [protocol, words] of Object.entries(MESSAGES)) {
    for (const password of ["wonderland", "wrong"]) {
      const headers = { "Auth-Protocol": protocol, "Auth-Pass": password };
      const { status, auth, cacheControl } = await worker.ask(headers);
      assert.equal(status, 503);
      assert.deepEqual(auth, words);
      assert.equal(cacheControl, null);
      const other = await worker.ask({ ...headers, "Auth-Accept": "hostname, tls, fallback" });
      assert.deepEqual(other.auth, words);
      assert.equal(other.cacheControl, "no-store");
    }
  }
});

test("a failing database is a bare 503 to a caller that caches, which may use an older reply", async () => {
  for (const protocol of Object.keys(MESSAGES)) {
    const headers = { "Auth-Protocol": protocol, "Auth-Accept": "hostname, tls, fallback, cache" };
    const { status, auth, cacheControl } = await worker.ask(headers);
    assert.equal(status, 503);
    assert.deepEqual(auth, {});
    assert.equal(cacheControl, null);
  }
});

test("a failure is logged with its cause and the caller's trace, without a credential", async () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  await worker.ask({
    "Auth-User": "canary-user",
    "Auth-Pass": "canary-password",
    Traceparent: `00-${trace}-b7ad6b7169203331-01`,
  });
  assert.match(worker.logs(), /no such table: servers/);
  assert.match(worker.logs(), new RegExp(trace));
  assert.doesNotMatch(worker.logs(), /canary|wonderland/);
});

test("a malformed trace is not logged", async () => {
  await worker.ask({ Traceparent: "00-canary" });
  assert.doesNotMatch(worker.logs(), /canary/);
});
