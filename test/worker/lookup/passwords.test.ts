import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { eq } from "drizzle-orm";
import { users } from "../../../worker/directory/schema/index.ts";
import { ONE_SERVER } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { SCHEMES } from "../../support/worker/passwords.ts";
import { VECTORS } from "../passwords/vectors.ts";

const WEAK = SCHEMES.filter(({ weak }) => weak).map(({ names }) => names[0]);

/** One vector of each scheme, with its own user. */
const vectors = SCHEMES.map(({ names: [name] }) => ({
  ...VECTORS.findLast(({ scheme }) => scheme === name)!,
  address: `${name}@example.test`.toLowerCase(),
}));

let worker: Harness;
before(async () => {
  const row = { group: "mail", server: "m1" };
  worker = await startHarness({
    vars: {
      WEAK_PASSWORD_SCHEMES: WEAK.filter((name) => name !== "SMD5").join(" "),
      // This file makes many failed logins.
      FAILURES_PER_ACCOUNT: "1000",
      FAILURES_PER_NETWORK: "1000",
    },
    seed: {
      ...ONE_SERVER,
      users: [
        { address: "alice@example.test", ...row, password: "wonderland" },
        { address: "bob@example.test", ...row, password: "wonderland" },
        ...vectors.map(({ address, stored }) => ({ address, ...row, passwordHash: stored })),
      ],
    },
  });
});
after(() => worker.close());

const escaped = (password: Uint8Array) =>
  Array.from(password, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

async function logIn(address: string, password: Uint8Array): Promise<string> {
  const headers = { "Auth-User": address, "Auth-Pass": escaped(password) };
  return (await worker.ask(headers)).auth["auth-status"] ?? "";
}

for (const { address, scheme, made, password } of vectors) {
  const allowed = scheme !== "SMD5";
  test(`in workerd, a user with ${scheme} of \`${made}\` ${allowed ? "logs in" : "gets a temporary failure"}`, async () => {
    assert.match(await logIn(address, password), allowed ? /^OK$/ : /^\[UNAVAILABLE\]/);
    const wrong = await logIn(address, Uint8Array.of(0x21, ...password));
    assert.match(wrong, allowed ? /^\[AUTHENTICATIONFAILED\]/ : /^\[UNAVAILABLE\]/);
  });
}

test("a login replaces a weak hash by a new one, which works", async () => {
  const { address, password } = vectors.find(({ scheme }) => scheme === "SSHA")!;
  assert.equal(await logIn(address, password), "OK");
  for (let hash = ""; !hash.startsWith("$argon2id$v=19$m=19456,t=2,p=1$");) {
    await pause(20);
    const [row] = await worker.db.select().from(users).where(eq(users.address, address));
    hash = row!.passwordHash;
  }
  assert.equal(await logIn(address, password), "OK");
  assert.match(await logIn(address, Buffer.from("x")), /^\[AUTHENTICATIONFAILED\]/);
});

const wonderland = Buffer.from("wonderland");

test("a recent login does not let in after a change of password, nor a disabled user", async () => {
  const change = (set: Partial<typeof users.$inferInsert>) =>
    worker.db.update(users).set(set).where(eq(users.address, "bob@example.test"));
  const { stored, password } = VECTORS.find((vector) => vector.password.includes(0xff))!;
  assert.equal(await logIn("bob@example.test", wonderland), "OK");
  assert.equal(await logIn("bob@example.test", wonderland), "OK");
  await change({ enabled: false });
  assert.match(await logIn("bob@example.test", wonderland), /AUTHENTICATIONFAILED/);
  await change({ enabled: true });
  assert.equal(await logIn("bob@example.test", wonderland), "OK");
  await change({ passwordHash: stored });
  assert.match(await logIn("bob@example.test", wonderland), /AUTHENTICATIONFAILED/);
  assert.equal(await logIn("bob@example.test", password), "OK");
});

test("in a flood of guesses some wait, others get a temporary failure, and a user who has just logged in gets in", async () => {
  assert.equal(await logIn("alice@example.test", wonderland), "OK");
  const guesses = Array.from({ length: 40 }, (_, index) =>
    logIn("alice@example.test", Buffer.from(`guess ${index}`)),
  );
  const known = await logIn("alice@example.test", wonderland);
  const answers = await Promise.all(guesses);
  const told = (words: RegExp) => answers.filter((answer) => words.test(answer)).length;
  assert.equal(known, "OK");
  assert.ok(told(/^\[AUTHENTICATIONFAILED\]/) >= 16, answers.join());
  assert.ok(told(/^\[UNAVAILABLE\]/) > 0, answers.join());
  assert.equal(told(/^\[(AUTHENTICATIONFAILED|UNAVAILABLE)\]/), answers.length);
  assert.match(await logIn("nobody@example.test", wonderland), /^\[AUTHENTICATIONFAILED\]/);
});
