import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { getTableColumns } from "drizzle-orm";
import { secrets, users } from "../../../worker/directory/schema/index.ts";
import { type Admin, startAdmin } from "../../support/worker/admin.ts";

const HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const OTHER = HASH.replace("m=19456", "m=19457");

let admin: Admin;
before(async () => {
  admin = await startAdmin({
    seed: {
      groups: [{ name: "mail" }, { name: "other" }],
      servers: [
        { name: "m1", group: "mail", host: "192.0.2.1", imapPort: 143 },
        { name: "m2", group: "mail", host: "192.0.2.2", imapPort: 143 },
      ],
      domains: [{ name: "example.test", group: "mail" }],
    },
  });
});
after(() => admin.close());
beforeEach(() => admin.db.delete(users));

const send = async (...rows: object[]) => {
  const { status, body } = await admin.call("admin", "POST", "/import", { users: rows });
  assert.equal(status, 200, admin.logs());
  return body;
};
const stored = () => admin.db.select().from(users).orderBy(users.address);

test("rows are created, found unchanged, and updated only in the fields that they have", async () => {
  const alice = { address: "Alice@Example.test", passwordHash: HASH };
  const bob = { address: "bob@example.test", passwordHash: HASH, group: "other", enabled: false };
  const first = await send(alice, bob);
  assert.deepEqual(first, { created: 2, updated: 0, unchanged: 0, refused: [] });
  const rows = await stored();
  assert.partialDeepStrictEqual(rows, [
    { address: "alice@example.test", group: "mail", enabled: true, imap: true, server: null },
    { address: "bob@example.test", group: "other", enabled: false },
  ]);
  assert.deepEqual(await send(alice, bob), { created: 0, updated: 0, unchanged: 2, refused: [] });
  assert.deepEqual(await stored(), rows);

  const { enabled: _, group: __, ...plainBob } = bob;
  assert.equal((await send(alice, plainBob)).unchanged, 2);
  assert.equal((await send(alice, { ...plainBob, passwordHash: OTHER })).updated, 1);
  assert.deepEqual(await stored(), [rows[0], { ...rows[1], passwordHash: OTHER, version: 2 }]);
});

test("a sealed password is deleted when its hash is replaced, and only then", async () => {
  for (const name of ["alice", "bob"]) {
    await send({ address: `${name}@example.test`, passwordHash: HASH });
    for (const purpose of ["own", "upstream"] as const) {
      await admin.db.insert(secrets).values({ user: `${name}@example.test`, purpose, sealed: "x" });
    }
  }
  await send(
    { address: "alice@example.test", passwordHash: OTHER },
    { address: "bob@example.test", passwordHash: HASH, enabled: false },
  );
  const kept = await admin.db.select().from(secrets);
  assert.deepEqual(kept.map(({ user, purpose }) => `${user} ${purpose}`).toSorted(), [
    "alice@example.test upstream",
    "bob@example.test own",
    "bob@example.test upstream",
  ]);
  const { items } = (await admin.call("read", "GET", "/audit?subject=alice@example.test own")).body;
  assert.partialDeepStrictEqual(items, [{ action: "secret.delete", details: '{"import":true}' }]);
});

test("an import places users, and moves none", async () => {
  const row = { address: "alice@example.test", passwordHash: HASH };
  await send(row);
  assert.equal((await send({ ...row, server: "m1" })).updated, 1);
  const moved = await send({ ...row, server: "m2", passwordHash: OTHER });
  assert.match(moved.refused[0].reason, /the user is on m1: .* move the user/);
  await send({ ...row, passwordHash: OTHER });
  assert.partialDeepStrictEqual(await stored(), [{ server: "m1", passwordHash: OTHER }]);
});

test("a row that cannot be accepted is refused by itself, with a reason", async () => {
  await send({ address: "owner@example.test", passwordHash: HASH });
  await admin.call("admin", "POST", "/aliases", {
    address: "alias@example.test",
    user: "owner@example.test",
  });
  const good = { address: "good@example.test", passwordHash: HASH };
  const rows = [
    [{ ...good, address: "x@elsewhere.test" }, /no group is given/],
    [{ ...good, address: "x@example.test", group: "none" }, /no group none/],
    [{ ...good, address: "y@example.test", server: "none" }, /no server none/],
    [{ ...good, address: "alias@example.test" }, /alias of owner/],
    [{ ...good, address: "a b" }, /spaces/],
    [{ ...good, address: "" }, /address/],
    [{ ...good, address: "\ud800@example.test" }, /Unicode/],
    [{ address: "x@example.test" }, /passwordHash/],
    [{ ...good, passwordHash: "secret" }, /no known scheme/],
    [{ ...good, password: "secret" }, /password/],
    [{ ...good, enabled: "yes" }, /enabled/],
    [{ ...good, colour: "red" }, /colour/],
  ] as const;
  const report = await send(...rows.map(([row]) => row), good, { ...good, passwordHash: OTHER });
  assert.equal(report.created, 1);
  const reasons = new Map<number, string>(
    report.refused.map(({ index, reason }: { index: number; reason: string }) => [index, reason]),
  );
  for (const [index, [row, reason]] of rows.entries()) {
    assert.match(reasons.get(index) ?? "taken", reason, JSON.stringify(row));
  }
  assert.match(reasons.get(rows.length + 1) ?? "taken", /twice/);
  assert.equal(reasons.size, rows.length + 1);
  const addresses = (await stored()).map(({ address }) => address);
  assert.deepEqual(addresses, ["good@example.test", "owner@example.test"]);
});

test("the audit records each user that is created or updated, by address, without the hash", async () => {
  const row = { address: "audited@example.test", passwordHash: HASH };
  await send(row);
  await send(row);
  await send({ ...row, passwordHash: OTHER });
  const { body } = await admin.call("read", "GET", "/audit?subject=audited@example.test");
  assert.deepEqual(
    body.items.map(({ action }: { action: string }) => action),
    ["user.update", "user.create"],
  );
  assert.ok(!JSON.stringify(body).includes("argon2"));
});

test("more than a thousand rows are refused, and so are callers other than admins", async () => {
  const row = { address: "x@example.test", passwordHash: HASH };
  const many = { users: Array.from({ length: 1001 }, () => row) };
  assert.equal((await admin.call("admin", "POST", "/import", many)).status, 400);
  assert.equal((await admin.call("support", "POST", "/import", { users: [row] })).status, 403);
  assert.equal((await admin.call("support", "GET", "/export")).status, 403);
  assert.deepEqual(await send(), { created: 0, updated: 0, unchanged: 0, refused: [] });
});

test("an export has the hashes, page by page, and each page is recorded in the audit", async () => {
  const rows = Array.from({ length: 1000 }, (_, index) => ({
    address: `u${String(index).padStart(4, "0")}@example.test`,
    passwordHash: HASH,
  }));
  await send(...rows);
  await send({ address: "z@example.test", passwordHash: OTHER });
  const first = await admin.call("admin", "GET", "/export");
  assert.equal(first.body.items.length, 1000);
  const second = await admin.call("admin", "GET", `/export?after=${first.body.next}`);
  assert.equal(second.body.next, null);
  const { id: _id, version: _version, ...exported } = getTableColumns(users);
  const everything = await admin.db.select(exported).from(users).orderBy(users.address);
  assert.deepEqual([...first.body.items, ...second.body.items], everything);
  const { body } = await admin.call("read", "GET", "/audit?subject=all");
  const actions = body.items.map(({ action }: { action: string }) => action);
  assert.deepEqual(actions, ["user.export", "user.export"]);
});
