import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { eq, sql } from "drizzle-orm";
import { secrets, users } from "../../../worker/directory/schema/index.ts";
import { type Admin, startAdmin } from "../../support/worker/admin.ts";
import { SEALING } from "../../support/worker/directory.ts";

let admin: Admin;
before(async () => {
  admin = await startAdmin({
    secrets: { LOOKUP_KEYS: "key", SECRET_KEYS: SEALING },
    vars: { DEFAULT_DOMAIN: "example.test" },
    seed: {
      groups: [{ name: "mail" }],
      servers: [{ name: "m1", group: "mail", host: "192.0.2.1", imapPort: 143 }],
      domains: [{ name: "example.test", group: "mail" }],
    },
  });
});
after(() => admin.close());

const as = (method: string, path: string, body?: unknown) =>
  admin.call("admin", method, path, body);

test("a password is hashed, works at the next lookup, and appears nowhere else", async () => {
  const user = { address: "carol", password: "correct horse" };
  assert.equal((await as("POST", "/users", user)).status, 201);
  const stored = async () =>
    (await admin.db.select().from(users)).find(({ address }) => address.startsWith("carol"))!
      .passwordHash;
  assert.match(await stored(), /^\$argon2id\$/);
  const login = { "Auth-User": "carol@example.test", "Auth-Pass": "correct%20horse" };
  assert.equal((await admin.ask(login)).auth["auth-status"], "OK");

  const reset = { password: "battery staple" };
  const answer = await admin.call("support", "POST", "/users/carol/password", reset);
  assert.equal(answer.status, 200);
  assert.notEqual((await admin.ask(login)).auth["auth-status"], "OK");
  const again = { ...login, "Auth-Pass": "battery%20staple" };
  assert.equal((await admin.ask(again)).auth["auth-status"], "OK");

  const app = await as("POST", "/app-passwords", { user: "carol", label: "phone" });
  assert.match(app.body.password, /^(?:[a-z2-9]{4}-){5}[a-z2-9]{4}$/);
  const pages = ["/users", "/app-passwords", "/audit?limit=1000", "/tokens"];
  const readable = JSON.stringify(await Promise.all(pages.map((path) => as("GET", path))));
  const everything = readable + JSON.stringify(answer.body) + admin.logs();
  for (const secret of ["correct horse", "battery", app.body.password, "$argon2id", "digest"]) {
    assert.ok(!everything.includes(secret), secret);
  }
});

test("a secret can be changed, and only where there is one", async () => {
  assert.equal((await as("POST", "/users", { address: "erin", password: "x" })).status, 201);
  await as("POST", "/secrets", { user: "erin", purpose: "own", secret: "canary three" });
  const login = (password: string) => ({
    "Auth-Method": "cram-md5",
    "Auth-User": "erin@example.test",
    "Auth-Salt": "<1@x>",
    "Auth-Pass": createHmac("md5", password).update("<1@x>").digest("hex"),
  });
  assert.equal((await as("PATCH", "/secrets/erin/own", {})).status, 400);
  const changed = await as("PATCH", "/secrets/erin/own", { secret: "canary four" });
  assert.deepEqual(changed.body, { user: "erin@example.test", purpose: "own" });
  await as("POST", "/users/erin/move", { server: "m1" });
  assert.equal((await admin.ask(login("canary four"))).auth["auth-status"], "OK");
  assert.notEqual((await admin.ask(login("canary three"))).auth["auth-status"], "OK");
  for (const path of ["/secrets/erin/upstream", "/secrets/erin/other", "/secrets/nobody/own"]) {
    assert.equal((await as("PATCH", path, { secret: "x" })).status, 404, path);
  }
  const { items } = (await as("GET", "/audit?subject=erin@example.test own")).body;
  assert.partialDeepStrictEqual(items, [{ action: "secret.update", details: "{}" }]);
});

test("a secret permits CRAM-MD5 until the password is set anew, and appears nowhere else", async () => {
  const user = { address: "dave", password: "canary one" };
  assert.equal((await as("POST", "/users", { ...user, server: "m1" })).status, 201);
  const kept = { user: "dave", purpose: "own", secret: user.password };
  const answer = await as("POST", "/secrets", kept);
  assert.equal(answer.status, 201);
  const login = {
    "Auth-Method": "cram-md5",
    "Auth-User": "dave@example.test",
    "Auth-Salt": "<1@x>",
    "Auth-Pass": createHmac("md5", user.password).update("<1@x>").digest("hex"),
  };
  assert.equal((await admin.ask(login)).auth["auth-status"], "OK");
  await admin.call("support", "POST", "/users/dave/password", { password: "canary two" });
  assert.notEqual((await admin.ask(login)).auth["auth-status"], "OK");
  const { items } = (await as("GET", "/audit?subject=dave@example.test own")).body;
  assert.partialDeepStrictEqual(items, [
    { actor: "support", action: "secret.delete" },
    { actor: "admin", action: "secret.create" },
  ]);

  const pages = ["/users", "/secrets", "/audit?limit=1000"];
  const readable = JSON.stringify(await Promise.all(pages.map((path) => as("GET", path))));
  for (const secret of ["canary", "sealed", "k1:"]) {
    assert.ok(!`${readable}${JSON.stringify(answer.body)}${admin.logs()}`.includes(secret), secret);
  }
});

test("a password that cannot be stored leaves the sealed one, and the audit, as they are", async () => {
  assert.equal((await as("POST", "/users", { address: "frank", password: "one" })).status, 201);
  const kept = { user: "frank", purpose: "own", secret: "one" };
  assert.equal((await as("POST", "/secrets", kept)).status, 201);
  const passwordHash = "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9gUAAAAAA==";
  const state = async () => [
    await admin.db.select().from(secrets).where(eq(secrets.user, "frank@example.test")),
    (await as("GET", "/audit?limit=1000")).body.items,
  ];
  const earlier = await state();
  await admin.db.run(sql`create trigger full before update of password_hash on users
    begin select raise(abort, 'database or disk is full'); end`);
  try {
    const imported = [{ address: "frank", passwordHash }];
    assert.equal((await as("POST", "/users/frank/password", { passwordHash })).status, 503);
    assert.equal((await as("POST", "/import", { users: imported })).status, 503);
  } finally {
    await admin.db.run(sql`drop trigger full`);
  }
  assert.deepEqual(await state(), earlier);
});
