// Cursors are signed, so that no page of a list is read without the page before it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import { type Admin, send, startAdmin, type Role } from "../../support/worker/admin.ts";

/** More than a page of the export. */
const USERS = 2050;

const SEED = { groups: [{ name: "mail" }, { name: "other" }] };

let admin: Admin;
before(async () => {
  admin = await startAdmin({ seed: SEED });
  await admin.db.run(sql`
    insert into users (address, password_hash, "group")
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${USERS})
    select printf('user%04d@example.test', n), 'x', iif(n % 2, 'mail', 'other') from numbers`);
});
after(() => admin.close());

const read = (path: string, role: Role = "admin") => admin.call(role, "GET", path);

/** The cursor of a list's second page. */
async function cursorOf(path: string, role: Role = "admin"): Promise<string> {
  const { status, body } = await read(path, role);
  assert.equal(status, 200);
  assert.equal(typeof body.next, "string");
  return body.next;
}

async function assertRefused(path: string, role?: Role): Promise<void> {
  const { status, body } = await read(path, role);
  assert.equal(status, 400, path);
  assert.match(body.error, /^after: /);
}

/** the cursors that a caller could write before they were signed. */
const unsigned = (key: readonly unknown[]) =>
  btoa(encodeURIComponent(JSON.stringify(key))).replaceAll("=", "");

test("a cursor that a caller has made is refused by every list and by the export", async () => {
  const forged = [unsigned([""]), unsigned(["a", "b", "c"]), unsigned([7]), "", "AAAA"];
  for (const path of ["/export", "/users", "/aliases", "/app-passwords", "/audit", "/tokens"]) {
    for (const cursor of forged) await assertRefused(`${path}?after=${cursor}`);
  }
});

test("a cursor with any character changed is refused", async () => {
  const good = await cursorOf("/users?limit=1");
  for (let at = 0; at < good.length - 1; at += 1) {
    const changed = `${good.slice(0, at)}${good[at] === "A" ? "B" : "A"}${good.slice(at + 1)}`;
    await assertRefused(`/users?limit=1&after=${changed}`);
  }
  await assertRefused(`/users?limit=1&after=${good.slice(0, -4)}`);
  await assertRefused(`/users?limit=1&after=${good}AAAA`);
  assert.equal((await read(`/users?limit=1&after=${good}`)).status, 200);
});

test("a cursor serves only the list, the filters and the token that it was made for", async () => {
  const good = await cursorOf("/users?limit=1&group=mail");
  assert.equal((await read(`/users?limit=9&group=mail&after=${good}`)).status, 200);
  for (const path of [
    `/export?after=${good}`,
    `/groups?after=${good}`,
    `/users?after=${good}`,
    `/users?group=other&after=${good}`,
    `/users?group=mail&prefix=user&after=${good}`,
    `/users?prefix=mail&after=${good}`,
  ]) {
    await assertRefused(path);
  }
  await assertRefused(`/users?group=mail&after=${good}`, "read");
  await assertRefused(`/users?group=mail&after=${await cursorOf("/users?group=mail", "read")}`);
});

test("a cursor does not outlive its token, even where another token gets the same name", async () => {
  const make = async (): Promise<string> => {
    const made = await admin.call("admin", "POST", "/tokens", { name: "brief", role: "read" });
    return made.body.token;
  };
  const list = (token: string, query: string) =>
    send(admin, `/users?limit=1${query}`, { headers: { Authorization: `Bearer ${token}` } });
  const { next } = (await list(await make(), "")).body;
  await admin.call("admin", "DELETE", "/tokens/brief");
  assert.equal((await list(await make(), `&after=${next}`)).status, 400);
});

test("every page of an export is in the audit, with the place where it begins", async () => {
  const hashes = [];
  let next: string | null = null;
  do {
    const { status, body }: Awaited<ReturnType<typeof read>> = await read(
      next === null ? "/export" : `/export?after=${next}`,
    );
    assert.equal(status, 200);
    hashes.push(...body.items.map(({ passwordHash }: { passwordHash: string }) => passwordHash));
    next = body.next;
  } while (next !== null);
  assert.equal(hashes.length, USERS);
  const { items } = (await read("/audit?subject=all&limit=3", "read")).body;
  assert.deepEqual(
    items.map(({ actor, action, details }: Record<string, string>) => [actor, action, details]),
    ["user2000@example.test", "user1000@example.test", null].map((start) => [
      "admin",
      "user.export",
      JSON.stringify({ after: start }),
    ]),
  );
});

test("a page that was refused or asked for by HEAD tells nothing, or is in the audit", async () => {
  const count = async () => {
    const [row] = await admin.db.all<{ n: number }>(
      sql`select count(*) as n from audit where action = 'user.export'`,
    );
    return row!.n;
  };
  const earlier = await count();
  for (const role of ["read", "support"] as const) {
    const { status, body } = await read("/export", role);
    assert.equal(status, 403);
    assert.ok(!("items" in body));
  }
  assert.equal(await count(), earlier);
  assert.equal((await admin.call("admin", "HEAD", "/export")).status, 200);
  assert.equal(await count(), earlier + 1);
});

test("a cursor holds in another isolate with the same secrets, and in none with others", async () => {
  const good = await cursorOf("/groups?limit=1");
  for (const [LOOKUP_KEYS, status] of [
    ["key", 200],
    ["another", 400],
  ] as const) {
    const other = await startAdmin({
      secrets: { LOOKUP_KEYS, ADMIN_BOOTSTRAP: "once-upon-a-time" },
      seed: SEED,
    });
    const answer = await other.call("admin", "GET", `/groups?limit=1&after=${good}`);
    assert.equal(answer.status, status);
    await other.close();
  }
});
