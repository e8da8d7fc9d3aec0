// The WebSocket on which proxies receive kicks, with those that they have missed.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { eq } from "drizzle-orm";
import { adminTokens } from "../../../worker/directory/schema/index.ts";
import { type Admin, startAdmin, tokenOf } from "../../support/worker/admin.ts";
import { PRESENCE, TestLine } from "../../support/peers/line.ts";

const ALICE = "alice@example.test";
const DAY = 24 * 60 * 60 * 1000;

let admin: Admin;
let key: string;

before(async () => {
  admin = await startAdmin({
    seed: {
      groups: [{ name: "mail" }],
      users: [{ address: ALICE, group: "mail", passwordHash: "x" }],
    },
  });
  key = await newKey("mx1");
});
after(() => admin.close());

beforeEach(async () => {
  await admin.fleet.exec("delete from kicks");
});

async function newKey(name: string): Promise<string> {
  const { body } = await admin.call("admin", "POST", "/tokens", { name, role: "fleet" });
  return body.token;
}

/** Connects as a proxy and sends its presence. */
async function connected(presence: Partial<typeof PRESENCE> = {}): Promise<TestLine> {
  const line = await TestLine.open(admin.url.origin, key);
  line.say(presence);
  return line;
}

/** Connects as a proxy that has received all kicks. The connection closes at the end of the test. */
async function listening(t: { after(work: () => Promise<void>): void }): Promise<TestLine> {
  const line = await connected();
  t.after(() => line.close());
  assert.equal((await line.next())["kind"], "heard");
  return line;
}

async function kick(user: string): Promise<void> {
  assert.equal((await admin.call("support", "POST", `/users/${user}/kick`)).status, 204);
}

describe("a connection", () => {
  test("is only for proxies, and a WebSocket", async () => {
    for (const [status, token] of [
      [401, "wrong"],
      [403, tokenOf("admin")],
      [426, key],
    ] as const) {
      const headers = { Authorization: `Bearer ${token}` };
      const { status: told } = await fetch(new URL("/fleet/live", admin.url), { headers });
      assert.equal(told, status);
      if (status !== 426) await assert.rejects(TestLine.open(admin.url.origin, token));
    }
  });

  test("is closed after a message that is not a presence", async () => {
    for (const garbage of [
      "hello",
      "{}",
      JSON.stringify({ ...PRESENCE, host: "mx\n1" }),
      JSON.stringify({ ...PRESENCE, host: "m".repeat(300) }),
      JSON.stringify({ ...PRESENCE, sessions: -1 }),
      JSON.stringify({ ...PRESENCE, more: "m".repeat(5000) }),
    ]) {
      const line = await TestLine.open(admin.url.origin, key);
      line.say(garbage);
      assert.equal((await line.closed).code, 1008, garbage);
    }
  });

  test("is closed when its token is deleted", async () => {
    const line = await TestLine.open(admin.url.origin, await newKey("gone"));
    line.say({});
    assert.equal((await line.next())["kind"], "heard");
    assert.equal((await admin.call("admin", "DELETE", "/tokens/gone")).status, 204);
    assert.equal((await line.closed).code, 1008);
  });

  test("is closed at the moment when its token expires, without a message from the proxy", async () => {
    const closings: Promise<{ late: number; code: number; reason: string }>[] = [];
    for (const [name, lifetime] of [
      ["brief", 3000],
      ["briefer", 2000],
    ] as const) {
      const expires = Math.ceil((Date.now() + lifetime) / 1000) * 1000;
      const token = { name, role: "fleet", expires: new Date(expires).toISOString() };
      const { body } = await admin.call("admin", "POST", "/tokens", token);
      const line = await TestLine.open(admin.url.origin, body.token);
      line.say({});
      assert.equal((await line.next())["kind"], "heard");
      closings.push(line.closed.then((closing) => ({ ...closing, late: Date.now() - expires })));
    }
    // An object that has left memory is woken by its alarm.
    await admin.fleet.hibernate();
    for (const { code, reason, late } of await Promise.all(closings)) {
      assert.deepEqual([code, reason], [1008, "the token has expired"]);
      assert.ok(late >= 0 && late < 1000, `${late} ms late`);
    }
  });

  test("is closed at the next presence after its token was deleted in the database itself", async () => {
    const line = await TestLine.open(admin.url.origin, await newKey("dropped"));
    line.say({});
    assert.equal((await line.next())["kind"], "heard");
    await admin.db.delete(adminTokens).where(eq(adminTokens.name, "dropped"));
    line.say({});
    const { code, reason } = await line.closed;
    assert.deepEqual([code, reason], [1008, "the token was deleted"]);
  });

  test("is refused where its token is deleted after the worker has read it", async () => {
    assert.equal(await admin.fleet.open("mx1", "0".repeat(64)), 401);
  });
});

test("operators see the connected proxies with their sessions", async (t) => {
  const line = await listening(t);
  const list = async () => {
    const { status, body } = await admin.call("read", "GET", "/proxies");
    assert.equal(status, 200);
    return body.items;
  };
  const [{ since, seen, ...proxy }] = await list();
  const { host, version, sessions } = PRESENCE;
  assert.deepEqual(proxy, { name: "mx1", host, version, sessions });
  assert.ok(Date.parse(since) <= Date.parse(seen));
  line.say({ sessions: 8 });
  await line.next();
  assert.deepEqual(
    (await list()).map((one: typeof PRESENCE) => one.sessions),
    [8],
  );
});

describe("a proxy that was not connected", () => {
  test("receives the kicks that it has missed, in order, and that these were all", async () => {
    await kick("a@example.test");
    await kick("b@example.test");
    await kick("c@example.test");
    const [first] = await admin.fleet.exec("select min(number) as number from kicks");
    const heard = Number(first!["number"]);
    const line = await connected({ heard });
    const said = [await line.next(), await line.next(), await line.next()];
    const told = said.map(({ bookmark: _bookmark, ...rest }) => rest);
    assert.deepEqual(told, [
      { kind: "kick", user: null, number: heard + 1, names: ["b@example.test"] },
      { kind: "kick", user: null, number: heard + 2, names: ["c@example.test"] },
      { kind: "heard", last: heard + 2, complete: true },
    ]);
    await line.close();
  });

  test("and that started later receives the kicks since its start", async () => {
    await kick("old@example.test");
    await admin.fleet.exec("update kicks set time = time - 60000");
    await kick("new@example.test");
    const line = await connected({ heard: null, age: 30_000 });
    assert.deepEqual((await line.next())["names"], ["new@example.test"]);
    assert.equal((await line.next())["complete"], true);
    await line.close();
  });

  test("and that has received none learns that some kicks are lost", async () => {
    await admin.fleet.exec(
      `insert into kicks (time, names) with recursive numbers (number) as
       (select 1 union all select number + 1 from numbers where number < 10000)
       select unixepoch() * 1000, '["x"]' from numbers`,
    );
    for (const [age, complete] of [
      [0, true],
      [60_000, false],
    ] as const) {
      await admin.fleet.exec("update kicks set time = (unixepoch() - 30) * 1000");
      const line = await connected({ heard: null, age });
      let said = await line.next();
      while (said["kind"] === "kick") said = await line.next();
      assert.equal(said["complete"], complete);
      await line.close();
    }
  });

  test("and that started before the kicks are kept has missed none where none was dropped", async () => {
    await admin.fleet.exec("delete from sqlite_sequence");
    for (const user of [null, ALICE]) {
      if (user !== null) await kick(user);
      const line = await connected({ heard: null, age: 2 * DAY });
      if (user !== null) assert.deepEqual((await line.next())["names"], [user]);
      assert.deepEqual(await line.next(), {
        kind: "heard",
        last: user === null ? 0 : 1,
        complete: true,
      });
      await line.close();
    }
  });

  test("for too long learns that some kicks are lost", async () => {
    await kick("a@example.test");
    await admin.fleet.exec(`update kicks set time = time - ${DAY}`);
    await kick("b@example.test");
    const [last] = await admin.fleet.exec("select number from kicks");
    const number = Number(last!["number"]);
    for (const [heard, complete] of [
      [number - 2, false],
      [number - 1, true],
      // The number of another fleet, or of this one before it lost its storage.
      [number + 5, false],
    ] as const) {
      const line = await connected({ heard });
      let said = await line.next();
      if (said["kind"] === "kick") said = await line.next();
      assert.deepEqual(said, { kind: "heard", last: number, complete });
      await line.close();
    }
  });
});

test("a connection survives the object's hibernation", async (t) => {
  const line = await listening(t);
  await admin.fleet.hibernate();
  await kick(ALICE);
  assert.deepEqual((await line.next())["names"], [ALICE]);
});
