import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import {
  adminTokens,
  appPasswords,
  audit,
  knownNetworks,
} from "../../../worker/directory/schema/index.ts";
import { type Admin, startAdmin } from "../../support/worker/admin.ts";

let admin: Admin;
before(async () => {
  const user = { address: "alice@example.test", group: "mail", passwordHash: "x" };
  admin = await startAdmin({
    vars: { AUDIT_DAYS: "100" },
    seed: { groups: [{ name: "mail" }], users: [user] },
  });
});
after(() => admin.close());

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

test("the daily purge deletes expired rows, and keeps the others", async () => {
  const user = "alice@example.test";
  const app = { user, created: daysAgo(500) };
  await admin.db.insert(appPasswords).values([
    { ...app, label: "long gone", digest: "1", expires: daysAgo(31) },
    { ...app, label: "gone", digest: "2", expires: daysAgo(29) },
    { ...app, label: "for ever", digest: "3" },
  ]);
  await admin.db.insert(knownNetworks).values([
    { user, network: "192.0.2.1/32", lastSuccess: daysAgo(91) },
    { user, network: "192.0.2.2/32", lastSuccess: daysAgo(89) },
  ]);
  const change = { actor: "a", action: "b", subject: "c" };
  await admin.db.insert(audit).values([
    { ...change, time: daysAgo(101) },
    { ...change, time: daysAgo(99) },
  ]);
  const token = { digest: "x", role: "read" as const, created: daysAgo(900) };
  await admin.db.insert(adminTokens).values({ ...token, name: "old", expires: daysAgo(800) });

  await admin.runScheduled();
  const labels = (await admin.db.select().from(appPasswords)).map(({ label }) => label);
  assert.deepEqual(labels.toSorted(), ["for ever", "gone"]);
  const networks = (await admin.db.select().from(knownNetworks)).map(({ network }) => network);
  assert.deepEqual(networks, ["192.0.2.2/32"]);
  assert.equal((await admin.db.select().from(audit)).length, 1);
  assert.equal((await admin.db.select().from(adminTokens)).length, 4);
});

test("/healthz answers 200 while the directory can be read, and 503 while it cannot", async () => {
  const ask = () => fetch(new URL("/healthz", admin.url));
  const well = await ask();
  assert.equal(well.status, 200);
  await admin.db.run(sql`alter table users rename to people`);
  const ill = await ask();
  assert.equal(ill.status, 503);
  const { status, body } = await admin.call("read", "GET", "/users");
  assert.equal(status, 503);
  assert.match(body.error, /cannot be done now/);
  await admin.db.run(sql`alter table people rename to users`);
  assert.equal((await ask()).status, 200);
});
