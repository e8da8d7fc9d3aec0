import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { HealthReport } from "../../../shared/fleet.ts";
import { serverHealth } from "../../../worker/directory/schema/index.ts";
import { type Harness, startHarness } from "../../support/harness.ts";

const m1 = { host: "192.0.2.1", port: 143 };
const m2 = { host: "m2.example.test", port: 143 };
const why = "recv() failed (111: Connection refused)";

const failing = (server: typeof m1): HealthReport => ({ ...server, state: "failing", why });
const serving = (server: typeof m1): HealthReport => ({ ...server, state: "serving" });

let worker: Harness;
before(async () => {
  worker = await startHarness();
});
after(() => worker.close());

beforeEach(async () => {
  for (const table of ["votes", "proxies", "published"]) {
    await worker.fleet.exec(`delete from ${table}`);
  }
  await worker.db.delete(serverHealth);
});

const report = (...args: Parameters<Harness["fleet"]["report"]>) => worker.fleet.report(...args);

/** So many seconds, of which nobody hears before somebody reports. */
async function pass(seconds: number): Promise<void> {
  for (const table of ["votes", "proxies", "published"]) {
    await worker.fleet.exec(`update ${table} set until = max(0, until - ${seconds * 1000})`);
  }
}

/** The servers that lookups keep away from. */
async function avoided(): Promise<string[]> {
  const rows = await worker.db.select().from(serverHealth);
  return rows.map(({ host, port }) => `${host}:${port}`).toSorted();
}

describe("a proxy that is alone", () => {
  test("is believed", async () => {
    const start = Date.now();
    await report("one", [failing(m1), failing(m2)]);
    assert.deepEqual(await avoided(), ["192.0.2.1:143", "m2.example.test:143"]);
    const [row] = await worker.db.select().from(serverHealth);
    assert.equal(row!.why, `one: ${why}`);
    const seconds = (row!.until.getTime() - start) / 1000;
    assert.ok(seconds > 58 && seconds < 90, `${seconds}`);
  });

  test("is believed at once when it takes back what it said", async () => {
    await report("one", [failing(m1), failing(m2)]);
    await report("one", [serving(m1)]);
    assert.deepEqual(await avoided(), ["m2.example.test:143"]);
  });

  test("says the same again, and the server is kept away from for longer", async () => {
    await report("one", [failing(m1)]);
    const [first] = await worker.db.select().from(serverHealth);
    await pass(20);
    await report("one", [failing(m1)]);
    const rows = await worker.db.select().from(serverHealth);
    assert.equal(rows.length, 1);
    assert.ok(rows[0]!.until >= first!.until);
    await pass(45);
    await report("one", []);
    assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
  });

  test("says nothing for a minute, and nothing of it is left", async () => {
    await report("one", [failing(m1)]);
    await pass(60);
    await report("two", []);
    assert.deepEqual(await avoided(), []);
    assert.deepEqual(await worker.fleet.exec("select * from votes"), []);
    assert.deepEqual(await worker.fleet.exec("select name from proxies"), [{ name: "two" }]);
  });
});

describe("where there are several proxies", () => {
  beforeEach(async () => {
    await report("two", []);
    await report("three", []);
  });

  test("one of them takes down nothing, whatever it says and however often", async () => {
    await report("one", [failing(m1), failing(m2)], undefined, 50);
    await report("one", [failing(m1)]);
    assert.deepEqual(await avoided(), []);
  });

  test("two that agree are believed, and both are named", async () => {
    await report("one", [failing(m1), failing(m2)]);
    await report("three", [failing(m1)]);
    assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
    const [row] = await worker.db.select().from(serverHealth);
    assert.match(row!.why, /one: recv/);
    assert.match(row!.why, /three: recv/);
  });

  test("the same host at another port is something else", async () => {
    await report("one", [failing(m1)]);
    await report("two", [failing({ ...m1, port: 993 })]);
    assert.deepEqual(await avoided(), []);
  });

  test("one of two takes its word back, and the server is named again", async () => {
    await report("one", [failing(m1)]);
    await report("two", [failing(m1)]);
    await report("three", [serving(m1)]);
    assert.deepEqual(await avoided(), ["192.0.2.1:143"], "nobody speaks for another");
    await report("two", [serving(m1)]);
    assert.deepEqual(await avoided(), []);
  });

  test("what two say lasts until one of them is forgotten", async () => {
    await report("one", [failing(m1)]);
    await pass(30);
    await report("two", [failing(m1)]);
    await report("three", []);
    const [row] = await worker.db.select().from(serverHealth);
    const seconds = (row!.until.getTime() - Date.now()) / 1000;
    assert.ok(seconds < 31, `${seconds}`);
    await pass(31);
    await report("three", []);
    assert.deepEqual(await avoided(), []);
  });

  test("the last one left is believed once the others have been silent for a minute", async () => {
    await pass(40);
    await report("one", [failing(m1)]);
    assert.deepEqual(await avoided(), []);
    await pass(20);
    await report("one", []);
    assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
  });
});

test("another proxy comes, and one's word is no longer enough", async () => {
  await report("one", [failing(m1)]);
  assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
  await report("two", []);
  assert.deepEqual(await avoided(), []);
});

test("an evicted object goes on where it was", async () => {
  await report("one", [failing(m1)]);
  await report("two", [failing(m1)]);
  await worker.fleet.evict();
  await report("one", [serving(m1)]);
  assert.deepEqual(await avoided(), []);
  await report("one", [failing(m1)]);
  assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
});

test("what was being written when the object died is written by the next report", async () => {
  await report("one", [failing(m1)]);
  // As it would be between a note and the write, and between the write and a note.
  await worker.db.delete(serverHealth);
  await worker.fleet.exec("update published set until = 0");
  await report("one", []);
  assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
  await worker.fleet.exec("update published set until = 0");
  await report("one", [serving(m1)]);
  assert.deepEqual(await avoided(), []);
});

test("nobody need say anything: an alarm forgets", async () => {
  await report("one", [failing(m1)], 50);
  await report("two", [failing(m1), failing(m2)], 50);
  while ((await worker.fleet.exec("select * from published")).length > 0) await pause(20);
  assert.deepEqual(await avoided(), []);
});

test("many proxies at the same moment: the directory holds what they agree on in the end", async () => {
  const servers = Array.from({ length: 5 }, (_, n) => ({ host: `192.0.2.${n}`, port: 143 }));
  const said = Array.from({ length: 60 }, (_, turn) => {
    const proxy = `proxy-${turn % 4}`;
    const server = servers[(turn * 7) % 5]!;
    return report(proxy, [turn % 3 === 0 ? serving(server) : failing(server)]);
  });
  await Promise.all(said);
  const agreed = await worker.fleet.exec(
    "select host || ':' || port as name from votes group by host, port having count(*) >= 2",
  );
  assert.ok(agreed.length > 0);
  assert.deepEqual(await avoided(), agreed.map(({ name }) => String(name)).toSorted());
});

test("a proxy votes on so many servers and no more", async () => {
  const more = Array.from({ length: 700 }, (_, n) => ({ host: `m${n}.example.test`, port: 143 }));
  await report("one", more.slice(0, 350).map(failing));
  await report("one", more.slice(350).map(failing));
  const [{ count } = {}] = await worker.fleet.exec("select count(*) as count from votes");
  assert.equal(count, 500);
  await report("one", [serving(more[0]!), failing(more[699]!)]);
  const names = (await worker.fleet.exec("select host from votes")).map(({ host }) => host);
  assert.ok(!names.includes("m0.example.test") && names.includes("m699.example.test"));
});

test("what is SQL is text", async () => {
  const hostile = { host: "'; drop table votes; --", port: 143 };
  await report("' or 1=1 --", [{ ...hostile, state: "failing", why: "') --" }]);
  assert.deepEqual(await avoided(), [`${hostile.host}:143`]);
});
