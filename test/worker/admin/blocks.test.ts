import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Admin, startAdmin } from "../../support/admin.ts";

let admin: Admin;
before(async () => {
  admin = await startAdmin({
    vars: { FAILURES_PER_ACCOUNT: "2", FAILURES_PER_NETWORK: "1000" },
    seed: {
      groups: [{ name: "mail" }],
      users: [{ address: "alice@example.test", group: "mail", password: "wonderland" }],
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
