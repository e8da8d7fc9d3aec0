import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Miniflare } from "miniflare";
import { isUserId, type UserVersion } from "../../../shared/user-version.ts";
import { placeUser } from "../../../worker/directory/users.ts";
import { newUserId } from "../../../worker/directory/user-id.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";

let worker: Harness;
before(async () => {
  worker = await startHarness();
});
after(() => worker.close());

beforeEach(async () => {
  await run(`
    delete from users; delete from servers; delete from groups;
    insert into groups (name) values ('mail'), ('other');
    insert into servers (name, "group", host) values ('m1', 'mail', 'm1.test'), ('m2', 'mail', 'm2.test');
    insert into users (address, password_hash, "group", server)
    values ('alice@b.test', 'x', 'mail', 'm1'), ('bob@b.test', 'x', 'mail', null);
    insert into aliases values ('a@b.test', 'alice@b.test');
    insert into app_passwords (user, label, digest, created) values ('alice@b.test', 'phone', 'd', 0);
    insert into certificates values ('alice@b.test', 'subject', 'CN=alice', 'CN=root');
    insert into secrets values ('alice@b.test', 'own', 's'), ('alice@b.test', 'upstream', 's');`);
});

/** Runs statements as `wrangler d1 execute` does. */
async function run(statements: string): Promise<void> {
  for (const statement of statements.split(";").filter((text) => text.trim() !== "")) {
    await worker.db.run(sql.raw(statement));
  }
}

async function versionOf(address: string): Promise<UserVersion> {
  const found = sql`select id, version from users where address = ${address}`;
  return worker.db.get<UserVersion>(found);
}

/** Returns the growth of a user's version by statements. */
async function growth(statements: string, address = "alice@b.test"): Promise<number> {
  const earlier = await versionOf(address);
  await run(statements);
  const { id, version } = await versionOf(address);
  assert.equal(id, earlier.id);
  return version - earlier.version;
}

describe("a user's version grows when", () => {
  for (const [what, statement] of [
    ["the password changes", "update users set password_hash = 'y'"],
    ["the user is disabled", "update users set enabled = false"],
    ["IMAP is taken away", "update users set imap = false"],
    ["POP3 is taken away", "update users set pop3 = false"],
    ["SMTP is taken away", "update users set smtp = false"],
    ["the group changes", `update users set "group" = 'other'`],
    ["the server changes", "update users set server = 'm2'"],
    ["the server is forgotten", "update users set server = null"],
    ["the name at the server changes", "update users set upstream_login = 'u'"],
    ["an alias is added", "insert into aliases values ('b@b.test', 'alice@b.test')"],
    ["an alias is renamed", "update aliases set address = 'b@b.test'"],
    ["an alias goes to another user", "update aliases set user = 'bob@b.test'"],
    ["an alias is deleted", "delete from aliases"],
    [
      "an app password is added",
      "insert into app_passwords (user, label, digest, created) values ('alice@b.test', 'tv', 'e', 0)",
    ],
    ["an app password gets another digest", "update app_passwords set digest = 'e'"],
    ["an app password loses a protocol", "update app_passwords set imap = false"],
    ["an app password expires", "update app_passwords set expires = 1"],
    ["an app password is deleted", "delete from app_passwords"],
    [
      "a certificate is bound",
      "insert into certificates values ('alice@b.test', 'subject', 'CN=b', 'CN=root')",
    ],
    ["a certificate changes", "update certificates set value = 'CN=b'"],
    ["a certificate's issuer changes", "update certificates set issuer = 'CN=other'"],
    ["a certificate is deleted", "delete from certificates"],
    ["the own secret changes", "update secrets set sealed = 't' where purpose = 'own'"],
    ["the own secret is deleted", "delete from secrets where purpose = 'own'"],
    ["the upstream secret changes", "update secrets set sealed = 't' where purpose = 'upstream'"],
  ] as const) {
    test(what, async () => assert.equal(await growth(statement), 1));
  }

  test("an alias is taken over, for both users", async () => {
    assert.equal(await growth("update aliases set user = 'bob@b.test'", "bob@b.test"), 1);
  });

  test("the address changes, and the id stays", async () => {
    const { id, version } = await versionOf("alice@b.test");
    await run("update users set address = 'carol@b.test' where address = 'alice@b.test'");
    const renamed = await versionOf("carol@b.test");
    assert.equal(renamed.id, id);
    assert.ok(renamed.version > version);
  });
});

describe("a user's version stays when", () => {
  for (const [what, statement] of [
    ["a column gets the value that it has", "update users set password_hash = 'x', server = 'm1'"],
    ["the use of an app password is noted", "update app_passwords set last_used = 1"],
    [
      "a network becomes known",
      "insert into known_networks values ('alice@b.test', '192.0.2.1/32', 1)",
    ],
    ["the user's group gets another name", "update groups set name = 'post' where name = 'mail'"],
    ["the user's server gets another name", "update servers set name = 'm9' where name = 'm1'"],
    ["another user changes", "update users set enabled = false where address = 'bob@b.test'"],
  ] as const) {
    test(what, async () => assert.equal(await growth(statement), 0));
  }

  test("the first login places the user", async () => {
    const earlier = await versionOf("bob@b.test");
    assert.equal(await placeUser(worker.db, "bob@b.test", "m2"), "m2");
    assert.deepEqual(await versionOf("bob@b.test"), earlier);
  });
});

test("an upsert that changes a password raises the version once, and one that changes nothing does not", async () => {
  const upsert = (hash: string) => `
    insert into users (address, password_hash, "group") values ('alice@b.test', '${hash}', 'mail')
    on conflict do update set password_hash = excluded.password_hash, enabled = excluded.enabled`;
  assert.equal(await growth(upsert("y")), 1);
  assert.equal(await growth(upsert("y")), 0);
});

test("a flag that is neither 0 nor 1, and an end that is no time, are refused, because the worker reads them as no", async () => {
  for (const statement of [
    "update users set enabled = 'false'",
    "update users set enabled = 2",
    "update users set imap = 'no'",
    "update users set pop3 = 0.5",
    "update users set smtp = ''",
    `insert into users (address, password_hash, "group") values ('alice@b.test', 'x', 'mail')
     on conflict do update set enabled = 'false'`,
    "update app_passwords set imap = 'false'",
    "update app_passwords set pop3 = -1",
    "update app_passwords set smtp = 'no'",
    "update app_passwords set expires = '2020-01-01'",
    "update app_passwords set expires = ''",
  ]) {
    const earlier = await versionOf("alice@b.test");
    await assert.rejects(
      run(statement),
      (error: Error) => /constraint failed/i.test(String(error.cause)),
      statement,
    );
    assert.deepEqual(await versionOf("alice@b.test"), earlier);
  }
  assert.equal(await growth("update users set enabled = '0'"), 1);
  assert.equal(await growth("update app_passwords set imap = false, expires = '1'"), 1);
});

describe("a replaced row is noted like one that is deleted:", () => {
  for (const [what, statement, noted] of [
    ["an alias of another user", "aliases values ('a@b.test', 'bob@b.test')", 1],
    ["an alias that stays", "aliases values ('a@b.test', 'alice@b.test')", 0],
    [
      "an app password",
      "app_passwords (user, label, digest, created) values ('alice@b.test', 'phone', 'e', 0)",
      1,
    ],
    [
      "an app password that stays",
      "app_passwords (user, label, digest, created) values ('alice@b.test', 'phone', 'd', 0)",
      0,
    ],
    [
      "a certificate of another issuer",
      "certificates values ('alice@b.test', 'subject', 'CN=alice', 'CN=other')",
      1,
    ],
    ["the own secret", "secrets values ('alice@b.test', 'own', 't')", 1],
    ["the upstream secret", "secrets values ('alice@b.test', 'upstream', 't')", 0],
  ] as const) {
    test(what, async () => {
      const { id, version } = await versionOf("alice@b.test");
      await run("delete from revocations");
      await assert.rejects(run(`insert into ${statement}`));
      assert.deepEqual(await versionOf("alice@b.test"), { id, version });
      await run(`insert or replace into ${statement}`);
      const found = await worker.db.all(sql`select id, version from revocations`);
      assert.deepEqual(found, noted === 0 ? [] : [{ id, version: version + 1 }]);
    });
  }
});

test("no statement lowers a version or changes an id", async () => {
  for (const statement of [
    "update users set version = version - 1",
    "update users set version = 0",
    "update users set version = null",
    "update users set version = 'many'",
    "update users set version = version + 0.5",
    "update users set version = 9007199254740992",
    `update users set id = '${newUserId()}'`,
    "update users set id = ''",
    "update or ignore users set id = ''",
  ]) {
    await run("update users set version = 7");
    const earlier = await versionOf("alice@b.test");
    await run(statement).then(
      () => assert.match(statement, /or ignore/),
      (error: Error) => assert.match(String(error.cause), /constraint failed/i, statement),
    );
    assert.deepEqual(await versionOf("alice@b.test"), earlier);
  }
});

test("an operator may raise all versions, as after the database was set back", async () => {
  assert.equal(await growth("update users set version = version + 1000000"), 1_000_000);
});

test("a user who is deleted and made anew gets another id", async () => {
  const { id } = await versionOf("alice@b.test");
  await run("delete from users where address = 'alice@b.test'");
  await run(
    `insert into users (address, password_hash, "group") values ('alice@b.test', 'x', 'mail')`,
  );
  const again = await versionOf("alice@b.test");
  assert.notEqual(again.id, id);
  assert.equal(again.version, 1);
  await run(
    `insert or replace into users (address, password_hash, "group") values ('alice@b.test', 'x', 'mail')`,
  );
  assert.notEqual((await versionOf("alice@b.test")).id, again.id);
});

test("a new row brings an id and a version of the right form, or none", async () => {
  const insert = (id: string, version: string) =>
    run(`insert into users (address, password_hash, "group", id, version)
      values ('new@b.test', 'x', 'mail', '${id}', ${version})`);
  const { id: taken } = await versionOf("alice@b.test");
  for (const [id, version] of [
    ["short", "1"],
    ["AAAAAAAAAAAAAAAAAAAAAB", "1"],
    ["AAAAAAAAAA AAAAAAAAAAA", "1"],
    ["ÄAAAAAAAAAAAAAAAAAAAAA", "1"],
    [taken, "1"],
    ["AAAAAAAAAAAAAAAAAAAAAA", "0"],
    ["AAAAAAAAAAAAAAAAAAAAAA", "'one'"],
    ["AAAAAAAAAAAAAAAAAAAAAA", "1.5"],
    ["AAAAAAAAAAAAAAAAAAAAAA", "9007199254740992"],
  ] as const) {
    await assert.rejects(insert(id, version), (error: Error) =>
      /constraint failed/i.test(String(error.cause)),
    );
  }
  await insert("AAAAAAAAAAAAAAAAAAAAAA", "41");
  assert.deepEqual(await versionOf("new@b.test"), { id: "AAAAAAAAAAAAAAAAAAAAAA", version: 41 });
});

test("the worker's ids, and the database's, are ids, and no two are the same", async () => {
  await run(`insert into users (address, password_hash, "group")
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 500)
    select 'u' || i || '@b.test', 'x', 'mail' from n`);
  const made = await worker.db.all<{ id: string }>(sql`select id from users`);
  const ids = [...made.map(({ id }) => id), ...Array.from({ length: 500 }, newUserId)];
  for (const id of ids) assert.ok(isUserId(id), id);
  assert.equal(new Set(ids).size, ids.length);
  // Each of the 64 characters is there, and each of the four that can be the last.
  assert.equal(new Set(made.flatMap(({ id }) => Array.from(id.slice(0, 21)))).size, 64);
  assert.equal(new Set(made.map(({ id }) => id.at(-1))).size, 4);
});

test("the migration gives each user of an older database an id, and the version 1", async () => {
  const miniflare = new Miniflare({
    modules: true,
    script: "export default {}",
    d1Databases: ["DB"],
  });
  try {
    const db = drizzle(await miniflare.getD1Database("DB"));
    const migrate = async (file: string) => {
      const statements = readFileSync(`worker/migrations/${file}`, "utf8");
      for (const statement of statements.split("--> statement-breakpoint")) {
        await db.run(sql.raw(statement));
      }
    };
    const [first = "", ...later] = readdirSync("worker/migrations")
      .filter((file) => file.endsWith(".sql"))
      .toSorted();
    await migrate(first);
    await db.run(sql`insert into groups (name) values ('mail')`);
    await db.run(sql`insert into users (address, password_hash, "group")
      with recursive n (i) as (select 1 union all select i + 1 from n where i < 500)
      select 'u' || i || '@b.test', 'x', 'mail' from n`);
    for (const file of later) await migrate(file);
    const found = await db.all<UserVersion>(sql`select id, version from users`);
    assert.equal(found.length, 500);
    assert.equal(new Set(found.map(({ id }) => id)).size, 500);
    for (const { id, version } of found) {
      assert.ok(isUserId(id), id);
      assert.equal(version, 1);
    }
  } finally {
    await miniflare.dispose();
  }
});
