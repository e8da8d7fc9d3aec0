// The kicks by which each change of the directory ends the sessions that it revokes, and no others.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { sql } from "drizzle-orm";
import { isBookmark } from "../../../shared/user-version.ts";
import { type Admin, BOOTSTRAP_SECRET, startAdmin } from "../../support/worker/admin.ts";
import { idOf, SEALING, seed } from "../../support/worker/directory.ts";
import { PRESENCE, TestLine } from "../../support/peers/line.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";

const ALICE = "alice@example.test";
const BOB = "bob@example.test";
/** Bob's group has a master user, and his mail server another name for him. */
const BOBS_NAMES = [BOB, "u7", "u7*postmaster"];
const OTHER_HASH = "$argon2id$v=19$m=1024,t=1,p=4$b3RoZXJzYWx0$AAAAAAAAAAAAAAAAAAAAAA";

let admin: Admin;
let key: string;
let line: TestLine;

before(async () => {
  admin = await startAdmin({
    secrets: { LOOKUP_KEYS: "key", ADMIN_BOOTSTRAP: BOOTSTRAP_SECRET, SECRET_KEYS: SEALING },
    seed: {
      groups: [
        { name: "mail" },
        { name: "mastered", upstreamAuth: "master", masterUser: "postmaster" },
        { name: "shared", storage: "shared" },
      ],
      servers: [
        { name: "m1", group: "mail", host: "192.0.2.1", imapPort: 143 },
        { name: "m2", group: "mail", host: "192.0.2.2", imapPort: 143 },
      ],
      domains: [{ name: "example.test", group: "mail" }],
    },
  });
  const made = await admin.call("admin", "POST", "/tokens", { name: "mx1", role: "fleet" });
  key = made.body.token;
  line = await TestLine.open(admin.url.origin, key);
});
after(async () => {
  await line.close();
  await admin.close();
});

beforeEach(async () => {
  await admin.db.run(sql`delete from users`);
  await seed(admin.db, {
    users: [
      { address: ALICE, group: "mail", server: "m1", passwordHash },
      { address: BOB, group: "mastered", upstreamLogin: "u7", passwordHash },
      { address: "pinned@example.test", group: "shared", server: "m1", passwordHash },
      { address: "off@example.test", group: "mail", passwordHash, enabled: false, imap: false },
    ],
    aliases: [{ address: "al@example.test", user: ALICE }],
    appPasswords: [
      { user: ALICE, label: "phone", password: "app" },
      {
        user: ALICE,
        label: "old",
        password: "past",
        expires: new Date(Date.now() - 40 * 86_400_000),
      },
    ],
    certificates: [{ user: ALICE, kind: "fingerprint", value: "00" }],
    secrets: [
      { user: ALICE, purpose: "own", secret: "wonderland" },
      { user: ALICE, purpose: "upstream", secret: "rabbit" },
    ],
  });
  await admin.db.run(sql`delete from revocations`);
  line.say({ heard: await lastKick() });
  assert.equal((await line.next())["kind"], "heard");
});

async function lastKick(): Promise<number> {
  const [row] = await admin.fleet.exec("select coalesce(max(number), 0) as number from kicks");
  return Number(row!["number"]);
}

async function versionOf(user: string): Promise<number> {
  const [row] = await admin.db.all<{ version: number }>(
    sql`select version from users where address = ${user}`,
  );
  return row?.version ?? 0;
}

type Request = readonly [method: string, path: string, body?: unknown];

async function ok([method, path, body]: Request): Promise<void> {
  const answer = await admin.call("admin", method, path, body);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
}

function kick(user: string): Promise<void> {
  return ok(["POST", `/users/${user}/kick`]);
}

/** Asserts that the next kick revokes every login of a user up to now, and none from now on. */
async function assertKicked(user: string, before_: number, names = [user]): Promise<void> {
  const { kind, names: told, user: kicked, bookmark } = await line.next();
  assert.deepEqual([kind, told], ["kick", names]);
  const now = await versionOf(user);
  assert.deepEqual(kicked, { id: idOf(user), version: now === 0 ? before_ + 1 : now });
  assert.ok(now === 0 || now > before_);
  assert.ok(isBookmark(bookmark), String(bookmark));
}

/** Awaits the answer to a presence. It may bring a kick once more, with its number. */
async function assertHeard(): Promise<void> {
  let said = await line.next();
  if (said["kind"] === "kick") said = await line.next();
  assert.equal(said["kind"], "heard");
}

/** Asserts that no kick has come, by one that comes after all others. */
async function assertNoKick(): Promise<void> {
  await kick("after@example.test");
  assert.deepEqual((await line.next())["names"], ["after@example.test"]);
}

const imported = (row: object): Request => ["POST", "/import", { users: [row] }];

describe("a user's sessions end on all proxies when", () => {
  for (const [what, user, request, names] of [
    ["the user is disabled", ALICE, ["PATCH", `/users/${ALICE}`, { enabled: false }]],
    ["IMAP is taken away", ALICE, ["PATCH", `/users/${ALICE}`, { imap: false }]],
    ["POP3 is taken away", ALICE, ["PATCH", `/users/${ALICE}`, { pop3: false }]],
    ["SMTP is taken away", ALICE, ["PATCH", `/users/${ALICE}`, { smtp: false, imap: true }]],
    ["the group changes", ALICE, ["PATCH", `/users/${ALICE}`, { group: "shared" }]],
    [
      "the name at the server changes",
      BOB,
      ["PATCH", `/users/${BOB}`, { upstreamLogin: "u8" }],
      BOBS_NAMES,
    ],
    [
      "the password is set",
      ALICE,
      ["POST", `/users/${ALICE}/password`, { passwordHash: OTHER_HASH }],
    ],
    ["the mailbox moves", ALICE, ["POST", `/users/${ALICE}/move`, { server: "m2" }]],
    ["the user is deleted", BOB, ["DELETE", `/users/${BOB}`], BOBS_NAMES],
    ["an operator kicks the user", BOB, ["POST", `/users/${BOB}/kick`], BOBS_NAMES],
    ["an operator kicks the user by an alias", ALICE, ["POST", "/users/al@example.test/kick"]],
    ["the own secret changes", ALICE, ["PATCH", `/secrets/${ALICE}/own`, { secret: "new" }]],
    ["the own secret is deleted", ALICE, ["DELETE", `/secrets/${ALICE}/own`]],
    [
      "an app password expires",
      ALICE,
      ["PATCH", `/app-passwords/${ALICE}/phone`, { expires: "2020-01-01" }],
    ],
    [
      "an app password loses a protocol",
      ALICE,
      ["PATCH", `/app-passwords/${ALICE}/phone`, { imap: false }],
    ],
    ["an app password is deleted", ALICE, ["DELETE", `/app-passwords/${ALICE}/phone`]],
    ["an alias is deleted", ALICE, ["DELETE", "/aliases/al@example.test"]],
    ["an alias goes to another user", ALICE, ["PATCH", "/aliases/al@example.test", { user: BOB }]],
    ["a certificate is deleted", ALICE, ["DELETE", `/certificates/${ALICE}/fingerprint/00`]],
    [
      "an import disables the user",
      ALICE,
      imported({ address: ALICE, passwordHash, enabled: false }),
    ],
    ["an import takes IMAP away", ALICE, imported({ address: ALICE, passwordHash, imap: false })],
    ["an import takes POP3 away", ALICE, imported({ address: ALICE, passwordHash, pop3: false })],
    ["an import takes SMTP away", ALICE, imported({ address: ALICE, passwordHash, smtp: false })],
    [
      "an import changes the password",
      ALICE,
      imported({ address: ALICE, passwordHash: OTHER_HASH }),
    ],
    [
      "an import changes the group",
      ALICE,
      imported({ address: ALICE, passwordHash, group: "shared" }),
    ],
  ] as readonly (readonly [string, string, Request, string[]?])[]) {
    test(what, async () => {
      const earlier = await versionOf(user);
      await ok(request);
      await assertKicked(user, earlier, names);
      await assertNoKick();
    });
  }

  test("an import changes many users, each once", async () => {
    const users = Array.from({ length: 1000 }, (_, index) => {
      return { address: `u${String(index).padStart(4, "0")}@example.test`, passwordHash };
    });
    await ok(["POST", "/import", { users }]);
    await ok(["POST", "/import", { users: users.map((row) => ({ ...row, enabled: false })) }]);
    for (const { address } of users) {
      const { names, user } = await line.next();
      assert.deepEqual(names, [address]);
      assert.equal((user as { version: number }).version, 2);
    }
    await assertNoKick();
  });

  for (const [what, statement] of [
    ["a flag", sql`update users set enabled = false where address = ${ALICE}`],
    ["a deletion", sql`delete from users where address = ${ALICE}`],
  ] as const) {
    test(`the database is changed by SQL, at the next message of any proxy: ${what}`, async () => {
      const earlier = await versionOf(ALICE);
      await admin.db.run(statement);
      line.say({ heard: await lastKick() });
      await assertKicked(ALICE, earlier);
      await assertHeard();
    });
  }
});

describe("a user's sessions go on when", () => {
  for (const [what, request] of [
    ["rights stay the same", ["PATCH", `/users/${ALICE}`, { enabled: true, upstreamLogin: null }]],
    ["rights grow", ["PATCH", "/users/off@example.test", { enabled: true, imap: true }]],
    [
      "a right is taken away that the user did not have",
      ["PATCH", "/users/off@example.test", { imap: false }],
    ],
    [
      "a user of shared storage gets a server",
      ["POST", "/users/off@example.test/move", { server: "m1" }],
    ],
    ["the mailbox moves to where it is", ["POST", `/users/${ALICE}/move`, { server: "m1" }]],
    ["an import changes nothing", imported({ address: ALICE, passwordHash, enabled: true })],
    ["an import creates users", imported({ address: "new@example.test", passwordHash })],
    [
      "an import places a user and permits more",
      imported({ address: "off@example.test", passwordHash, imap: true, server: "m2" }),
    ],
    ["an alias is added", ["POST", "/aliases", { address: "a@example.test", user: ALICE }]],
    ["an app password is added", ["POST", "/app-passwords", { user: ALICE, label: "tv" }]],
    [
      "an app password gets a later end",
      ["PATCH", `/app-passwords/${ALICE}/phone`, { expires: "2099-01-01" }],
    ],
    ["an app password is deleted after its end", ["DELETE", `/app-passwords/${ALICE}/old`]],
    ["the upstream secret changes", ["PATCH", `/secrets/${ALICE}/upstream`, { secret: "new" }]],
    ["the upstream secret is deleted", ["DELETE", `/secrets/${ALICE}/upstream`]],
    ["another user is kicked", ["POST", "/users/gone@example.test/kick"]],
  ] as readonly (readonly [string, Request])[]) {
    test(what, async () => {
      await ok(request);
      if (what === "another user is kicked") {
        const { names, user } = await line.next();
        assert.deepEqual([names, user], [["gone@example.test"], null]);
      }
      await assertNoKick();
    });
  }

  test("a login replaces a weaker hash", async () => {
    const earlier = await versionOf(ALICE);
    const { auth } = await admin.ask({ "Auth-User": ALICE, "Auth-Pass": "wonderland" });
    assert.equal(auth["auth-status"], "OK");
    for (let turn = 0; (await versionOf(ALICE)) === earlier; turn++) assert.ok(turn < 1000);
    await assertNoKick();
  });

  test("the daily purge deletes app passwords that have expired", async () => {
    await admin.runScheduled();
    const left = await admin.db.all(sql`select label from app_passwords`);
    assert.equal(left.length, 1);
    await assertNoKick();
  });

  test("a change is refused", async () => {
    for (const [method, path, body] of [
      ["PATCH", `/users/${ALICE}`, { group: "none" }],
      ["POST", `/users/${ALICE}/move`, { server: null }],
      ["DELETE", `/app-passwords/${ALICE}/none`],
    ] as readonly Request[]) {
      assert.ok((await admin.call("admin", method, path, body)).status >= 400);
    }
    await assertNoKick();
  });
});

test("a kick that cannot be handed over is told to the operator, and comes at the proxy's next message", async () => {
  const earlier = await versionOf(ALICE);
  await admin.fleet.exec("alter table kicks rename to away");
  const { status, body } = await admin.call("admin", "DELETE", `/users/${ALICE}`);
  assert.equal(status, 503);
  assert.match(body.error, /the change is made, and the proxies will be told/);
  await admin.fleet.exec("alter table away rename to kicks");
  line.say({ heard: await lastKick() });
  await assertKicked(ALICE, earlier);
  await assertHeard();
});

test("an import that is sent again after a failure hands over the kicks of the first one", async () => {
  const request = imported({ address: ALICE, passwordHash, enabled: false });
  await admin.fleet.exec("alter table kicks rename to away");
  const earlier = await versionOf(ALICE);
  assert.equal((await admin.call("admin", ...request)).status, 503);
  await admin.fleet.exec("alter table away rename to kicks");
  const { body } = await admin.call("admin", ...request);
  assert.equal(body.unchanged, 1);
  await assertKicked(ALICE, earlier);
  await assertNoKick();
});

test("the kicks of an older version of the worker are kept, and go by names", async () => {
  await admin.fleet.exec("drop table kicks");
  await admin.fleet.exec(`create table kicks (
    number integer primary key autoincrement, time integer not null, names text not null)`);
  await admin.fleet.exec("create table repetitions (due integer not null, names text not null)");
  await admin.fleet.exec(
    `insert into kicks (number, time, names) values (1000, unixepoch() * 1000, '["u7"]')`,
  );
  await admin.fleet.hibernate();
  const proxy = await TestLine.open(admin.url.origin, key);
  proxy.say({ ...PRESENCE, heard: 999 });
  const kept = { kind: "kick", number: 1000, names: ["u7"], user: null, bookmark: null };
  assert.deepEqual(await proxy.next(), kept);
  assert.deepEqual(await proxy.next(), { kind: "heard", last: 1000, complete: true });
  await kick(BOB);
  const { number, user } = await proxy.next();
  assert.deepEqual([number, user], [1001, { id: idOf(BOB), version: await versionOf(BOB) }]);
  await proxy.close();
});
