/** The worker learns the costs of stored hashes, and keeps them for its next isolate. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { passwordWork } from "../../../worker/directory/schema/index.ts";
import { ONE_SERVER, seed } from "../../support/worker/directory.ts";
import { eventually } from "../../support/eventually.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { CHEAP_HASH } from "../../support/worker/passwords.ts";

const row = { group: "mail", server: "m1" };
const BCRYPT_5 = `$2y$05$${"x".repeat(53)}`;
const BCRYPT_6 = `$2y$06$${"x".repeat(53)}`;

const recorded = async ({ db }: Harness) =>
  new Map((await db.select().from(passwordWork)).map(({ kind, units }) => [kind, units]));

test("the first login samples the users' hashes, and a costlier hash is recorded when its user comes", async () => {
  const worker = await startHarness({
    seed: {
      ...ONE_SERVER,
      users: [
        { address: "alice@example.test", ...row, passwordHash: CHEAP_HASH },
        { address: "bert@example.test", ...row, passwordHash: BCRYPT_5 },
      ],
    },
  });
  await worker.ask({ "Auth-User": "nobody@example.test" });
  const first = await eventually("the sample is recorded", async () => {
    const found = await recorded(worker);
    return found.size === 2 && found;
  });
  assert.deepEqual(Object.fromEntries(first), { argon2: 2 * 19_456, bcrypt: 32 });
  const users = [{ address: "carl@example.test", ...row, passwordHash: BCRYPT_6 }];
  await seed(worker.db, { users });
  await worker.ask({ "Auth-User": "carl@example.test" });
  await eventually("the costlier hash is recorded", async () => {
    return (await recorded(worker)).get("bcrypt") === 64;
  });
  await worker.close();
});

test("the daily run samples the users' hashes, and forgets what was not met for 90 days", async () => {
  const worker = await startHarness({
    seed: {
      ...ONE_SERVER,
      users: [{ address: "bert@example.test", ...row, passwordHash: BCRYPT_5 }],
    },
  });
  const seen = new Date(Date.now() - 91 * 86_400_000);
  await worker.db.insert(passwordWork).values({ kind: "sha512-crypt", units: 50_000, seen });
  await worker.runScheduled();
  assert.deepEqual(Object.fromEntries(await recorded(worker)), { argon2: 38_912, bcrypt: 32 });
  await worker.close();
});

test("of many users the daily run samples some, and finds a scheme that half of them have", async () => {
  const worker = await startHarness({ seed: ONE_SERVER });
  await worker.db.run(`insert into users (address, password_hash, "group")
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)
    select 'user-' || i, case i % 2 when 0 then '${BCRYPT_5}' else '${CHEAP_HASH}' end, 'mail'
    from n`);
  await worker.runScheduled();
  assert.deepEqual(Object.fromEntries(await recorded(worker)), { argon2: 38_912, bcrypt: 32 });
  await worker.close();
});

test("without the table of a newer version logins go on, and the log says what is missing", async () => {
  const worker = await startHarness({
    seed: {
      ...ONE_SERVER,
      users: [{ address: "alice@example.test", ...row, passwordHash: CHEAP_HASH }],
    },
  });
  await worker.db.run("drop table password_work");
  assert.equal((await worker.ask()).auth["auth-status"], "OK");
  const wrong = await worker.ask({ "Auth-Pass": "wrong" });
  assert.match(wrong.auth["auth-status"]!, /Invalid login or password/);
  assert.match(worker.logs(), /the costs of stored password hashes are not known/);
  await worker.close();
});
