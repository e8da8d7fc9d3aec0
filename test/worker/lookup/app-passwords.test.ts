import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { and, eq } from "drizzle-orm";
import { appPasswords } from "../../../worker/directory/schema/index.ts";
import { newSecret } from "../../../worker/directory/secret.ts";
import { ONE_SERVER, SEALING } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";

const HOUR = 3_600_000;

const user = "alice@example.test";
const phone = newSecret();
const printer = newSecret();
const old = newSecret();
const kept = newSecret();

let worker: Harness;
before(async () => {
  const row = { group: "mail", server: "m1", passwordHash };
  worker = await startHarness({
    vars: { FAILURES_PER_ACCOUNT: "6" },
    secrets: { LOOKUP_KEYS: "key", SECRET_KEYS: SEALING },
    seed: {
      ...ONE_SERVER,
      users: [
        { address: user, ...row },
        { address: "bob@example.test", ...row },
        { address: "off@example.test", ...row, enabled: false },
        { address: "kept@example.test", ...row },
        { address: "guessed@example.test", ...row },
      ],
      aliases: [{ address: "al@example.test", user }],
      appPasswords: [
        { user, label: "phone", password: phone },
        { user, label: "printer", password: printer, imap: false, pop3: false },
        { user, label: "old", password: old, expires: new Date(Date.now() - 1000) },
        { user: "guessed@example.test", label: "phone", password: phone },
        { user: "off@example.test", label: "phone", password: phone },
        { user: "kept@example.test", label: "phone", password: kept },
      ],
      secrets: [{ user: "kept@example.test", purpose: "own", secret: "wonder land" }],
    },
  });
});
after(() => worker.close());

const REFUSED = "[AUTHENTICATIONFAILED] Invalid login or password";

async function logIn(password: string, headers: Record<string, string> = {}) {
  const { auth } = await worker.ask({ "Auth-Pass": password, ...headers });
  return auth["auth-status"];
}

test("an app password logs its user in with any of their names, and so does their own password", async () => {
  assert.equal(await logIn(phone), "OK");
  assert.equal(await logIn(phone, { "Auth-User": "al@example.test" }), "OK");
  assert.equal(await logIn("wonderland"), "OK");
});

test("an app password works only for its user", async () => {
  assert.equal(await logIn(kept), REFUSED);
  assert.equal(await logIn(phone, { "Auth-User": "bob@example.test" }), REFUSED);
});

test("an app password works only with its protocols", async () => {
  assert.equal(await logIn(printer, { "Auth-Protocol": "smtp" }), "OK");
  assert.equal(await logIn(printer), REFUSED);
});

test("an app password fails after its expiry, and for a disabled user", async () => {
  assert.equal(await logIn(old), REFUSED);
  assert.equal(await logIn(phone, { "Auth-User": "off@example.test" }), REFUSED);
});

test("an expired app password does not count as a failure", async () => {
  for (let n = 0; n < 7; n++)
    assert.equal(await logIn(old, { "Client-IP": "192.0.2.50" }), REFUSED);
  assert.equal(await logIn(phone, { "Client-IP": "192.0.2.50" }), "OK");
});

test("other passwords fail, including bytes that are not UTF-8", async () => {
  for (const wrong of [
    phone.slice(1),
    phone.toUpperCase(),
    `${phone}%FF`,
    `${phone}%20`,
    `%EF%BB%BF${phone}`,
  ]) {
    assert.notEqual(await logIn(wrong, { "Auth-User": "guessed@example.test" }), "OK");
  }
});

test("the server gets the user's own password if it is kept, else the client's", async () => {
  const headers = { "Auth-User": "kept@example.test" };
  const { auth } = await worker.ask({ ...headers, "Auth-Pass": kept });
  assert.equal(auth["auth-pass"], "wonder land");
  assert.equal((await worker.ask({ "Auth-Pass": phone })).auth["auth-pass"], undefined);
  const own = await worker.ask({ ...headers, "Auth-Pass": "wonderland" });
  assert.equal(own.auth["auth-status"], "OK");
  assert.equal(own.auth["auth-pass"], undefined);
});

const row = and(eq(appPasswords.user, user), eq(appPasswords.label, "phone"));

async function lastUsed(): Promise<number> {
  const [found] = await worker.db.select().from(appPasswords).where(row);
  return found?.lastUsed?.getTime() ?? 0;
}

test("the last use is written once an hour", async () => {
  for (const [earlier, written] of [
    [null, true],
    [Date.now() - HOUR / 2, false],
    [Date.now() - 2 * HOUR, true],
  ] as const) {
    const lastUse = earlier === null ? null : new Date(Math.floor(earlier / 1000) * 1000);
    await worker.db.update(appPasswords).set({ lastUsed: lastUse }).where(row);
    assert.equal(await logIn(phone), "OK");
    if (written) {
      // The write happens after the reply.
      while (Date.now() - (await lastUsed()) > 60_000) await pause(10);
    } else {
      // Another login's reply gives a second write time to appear.
      assert.equal(await logIn(printer, { "Auth-Protocol": "smtp" }), "OK");
      assert.equal(await lastUsed(), lastUse?.getTime());
    }
  }
});
