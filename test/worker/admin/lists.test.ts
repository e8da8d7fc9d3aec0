import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import { listQuery } from "../../../worker/admin/rows/queries.ts";
import { type Admin, type Json, startAdmin } from "../../support/worker/admin.ts";

// This module loads password code, which needs the hook of `support/passwords.ts` first.
const { RESOURCES } = await import("../../../worker/admin/resources/index.ts");

const names = Array.from({ length: 25 }, (_, index) => `user${String(index).padStart(2, "0")}`);

let admin: Admin;
before(async () => {
  admin = await startAdmin({
    seed: {
      groups: [{ name: "mail" }, { name: "other" }],
      users: names.map((name, index) => ({
        address: `${name}@example.test`,
        group: index % 5 === 0 ? "other" : "mail",
        passwordHash: "x",
      })),
    },
  });
  for (const name of names.slice(0, 3)) {
    for (const label of ["c", "a", "b"]) {
      await admin.call("admin", "POST", "/app-passwords", { user: `${name}@example.test`, label });
    }
  }
});
after(() => admin.close());

/** All pages of a list. */
async function pages(path: string, query: Record<string, string>): Promise<Json[][]> {
  const found: Json[][] = [];
  let next: string | null = null;
  do {
    const search = new URLSearchParams({ ...query, ...(next !== null && { after: next }) });
    const { status, body } = await admin.call("read", "GET", `${path}?${search.toString()}`);
    assert.equal(status, 200);
    found.push(body.items);
    next = body.next;
  } while (next !== null);
  return found;
}

for (const limit of [1, 7, 24, 25, 26]) {
  test(`in pages of ${limit}, each row is listed once and in order`, async () => {
    const found = await pages("/users", { limit: String(limit) });
    assert.equal(found.length, Math.ceil(names.length / limit));
    const listed = found.flat().map(({ address }) => address);
    assert.deepEqual(
      listed,
      names.map((name) => `${name}@example.test`),
    );
  });
}

test("a list whose key has several columns has pages too", async () => {
  const listed = (await pages("/app-passwords", { limit: "2" })).flat();
  const labels = listed.map(({ user, label }) => `${user.slice(4, 6)}${label}`);
  assert.deepEqual(labels, ["00a", "00b", "00c", "01a", "01b", "01c", "02a", "02b", "02c"]);
});

test("the audit lists its newest entry first", async () => {
  const ids = (await pages("/audit", { limit: "4" })).flat().map(({ id }) => id);
  assert.deepEqual(
    ids,
    ids.toSorted((one, other) => other - one),
  );
  assert.equal(ids.length, 9);
});

test("a list can be filtered by the beginning of its keys, and by columns", async () => {
  const count = async (query: Record<string, string>) =>
    (await pages("/users", { limit: "3", ...query })).flat().length;
  assert.equal(await count({ prefix: "USER1" }), 10);
  assert.equal(await count({ prefix: "user24@example.test" }), 1);
  for (const sign of ["%", "_", "user_", "user%", "*", "\\"]) {
    assert.equal(await count({ prefix: sign }), 0, sign);
  }
  assert.equal(await count({ group: "other" }), 5);
  assert.equal(await count({ group: "other", prefix: "user0" }), 2);
  assert.equal(await count({ group: "' or ''='" }), 0);
});

test("every list, with every filter, reads by an index and sorts nothing", async () => {
  for (const resource of RESOURCES) {
    const last = resource.key.map(() => (resource.newestFirst ? 7 : "m"));
    const queries = [
      { filters: {} },
      { filters: {}, after: last },
      ...(resource.newestFirst ? [] : [{ filters: {}, prefix: "m" }]),
      ...resource.filters.flatMap((name) => [
        { filters: { [name]: "x" } },
        { filters: { [name]: "x" }, after: last },
      ]),
    ];
    for (const query of queries) {
      const statement = listQuery(admin.db, resource, { limit: 10, ...query }).getSQL();
      const plan = await admin.db.all<{ detail: string }>(sql`explain query plan ${statement}`);
      const details = plan.map(({ detail }) => detail).join("; ");
      assert.doesNotMatch(details, /TEMP B-TREE/, `${resource.path} ${JSON.stringify(query)}`);
      // Without a condition, the plan is a scan along the key's index, which the limit ends.
      const pattern = "after" in query || "prefix" in query ? /^SEARCH/ : /^(SEARCH|SCAN)/;
      assert.match(details, pattern, `${resource.path} ${JSON.stringify(query)}: ${details}`);
    }
  }
});

test("rows that are added or deleted between two pages make no other row appear twice or get lost", async () => {
  const at = (cursor = "") => admin.call("read", "GET", `/groups?limit=4${cursor}`);
  for (const name of ["zb", "zd", "zf"]) await admin.call("admin", "POST", "/groups", { name });
  // "mail", "other", "zb", "zd"
  const first = await at();
  await admin.call("admin", "DELETE", "/groups/zd");
  for (const name of ["za", "zc", "ze"]) await admin.call("admin", "POST", "/groups", { name });
  const second = await at(`&after=${first.body.next}`);
  assert.deepEqual(
    second.body.items.map(({ name }: { name: string }) => name),
    ["ze", "zf"],
  );
  for (const name of ["za", "zb", "zc", "ze", "zf"]) {
    await admin.call("admin", "DELETE", `/groups/${name}`);
  }
});
