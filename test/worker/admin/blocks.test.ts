import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { counterOf, shardOf } from "../../../worker/penalties/shards.ts";
import { type Admin, startAdmin } from "../../support/worker/admin.ts";

let admin: Admin;
before(async () => {
  admin = await startAdmin({
    vars: { FAILURES_PER_ACCOUNT: "2", FAILURES_PER_NETWORK: "1000" },
    seed: {
      groups: [{ name: "mail" }],
      users: [{ address: "alice@example.test", group: "mail", password: "wonderland" }],
      aliases: [{ address: "al@example.test", user: "alice@example.test" }],
    },
  });
});
after(() => admin.close());

async function failAs(user: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await admin.ask({ "Auth-User": user, "Auth-Pass": "wrong" });
  }
}

test("lifting a block that does not exist, or has no valid name, is refused", async () => {
  for (const [path, status] of [
    ["/blocks/network/nowhere", 400],
    ["/blocks/network/198.51.100.0%2F24", 404],
    ["/blocks/colour/red", 400],
    ["/blocks/account/a%20b", 400],
  ] as const) {
    assert.equal((await admin.call("admin", "DELETE", path)).status, status, path);
  }
});

test("the help desk lifts a block, the audit records it, and the list shows the other blocks", async () => {
  await failAs("alice@example.test");
  await failAs("bob@example.test");
  const at = "/blocks/account/ALICE@example.test";
  assert.equal((await admin.call("read", "DELETE", at)).status, 403);
  assert.equal((await admin.call("support", "DELETE", at)).status, 204);
  assert.equal((await admin.call("support", "DELETE", at)).status, 404);
  const network = "/blocks/network/192.0.2.1";
  assert.equal((await admin.call("support", "DELETE", network)).status, 204);
  const { body } = await admin.call("read", "GET", "/audit");
  assert.deepEqual(
    body.items.map(({ subject, actor }: { subject: string; actor: string }) => [subject, actor]),
    [
      ["192.0.2.1/32", "support"],
      ["alice@example.test", "support"],
    ],
  );
  const listed = await admin.call("read", "GET", "/blocks");
  assert.equal(listed.status, 200);
  const names = listed.body.items.map(
    ({ kind, name }: Record<string, string>) => `${kind} ${name}`,
  );
  assert.deepEqual([...new Set(names)], ["account bob@example.test"]);
  assert.ok(Date.parse(listed.body.items[0].expires) > Date.now());
});

test("a block of a wider network is listed and lifted like any other, and an alias stands for its user", async () => {
  const { counters } = admin;
  const key = { login: "", network: "", permitted: 1, effect: "add" } as const;
  for (const [kind, subject, name] of [
    ["network", "203.0.113.0/24", "203.0.113.0/24"],
    ["network", "2001:db8::/48", "2001:db8::/48"],
    ["network", "2001:db8::/48", "2001:db8::/56"],
    ["network", "2001:db8::/48", "2001:db8::/64"],
    ["account", "alice@example.test", "alice@example.test"],
  ] as const) {
    const counter = await counterOf(counters, kind, subject);
    await counter.tally([{ ...key, name }], 600_000, true);
    await counters.getByName("blocks").note(await shardOf(kind, subject), Date.now() + 60_000);
    const given = name === "alice@example.test" ? "al@example.test" : encodeURIComponent(name);
    const listed = await admin.call("read", "GET", "/blocks");
    const found = listed.body.items.filter((item: Record<string, string>) => item["name"] === name);
    assert.deepEqual(
      found.map((item: Record<string, string>) => [item["kind"], item["login"]]),
      [[kind, ""]],
      name,
    );
    assert.equal((await admin.call("support", "DELETE", `/blocks/${kind}/${given}`)).status, 204);
    assert.equal((await admin.call("support", "DELETE", `/blocks/${kind}/${given}`)).status, 404);
  }
});
