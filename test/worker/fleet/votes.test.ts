import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { HealthReport } from "../../../shared/fleet.ts";
import { serverHealth } from "../../../worker/directory/schema/index.ts";
import { eventually } from "../../support/eventually.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";

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

/** Lets this many seconds pass, without alarms. */
async function pass(seconds: number): Promise<void> {
  for (const table of ["votes", "proxies", "published"]) {
    await worker.fleet.exec(`update ${table} set until = max(0, until - ${seconds * 1000})`);
  }
}

/** The servers that lookups avoid. */
async function avoided(): Promise<string[]> {
  const rows = await worker.db.select().from(serverHealth);
  return rows.map(({ host, port }) => `${host}:${port}`).toSorted();
}

describe("a single proxy", () => {
  test("decides alone", async () => {
    const start = Date.now();
    await report("one", [failing(m1), failing(m2)]);
    assert.deepEqual(await avoided(), ["192.0.2.1:143", "m2.example.test:143"]);
    const [row] = await worker.db.select().from(serverHealth);
    assert.equal(row!.why, `one: ${why}`);
    const seconds = (row!.until.getTime() - start) / 1000;
    assert.ok(seconds > 58 && seconds < 90, `${seconds}`);
  });

  test("withdraws a report with effect at once", async () => {
    await report("one", [failing(m1), failing(m2)]);
    await report("one", [serving(m1)]);
    assert.deepEqual(await avoided(), ["m2.example.test:143"]);
  });

  test("repeats a report, and so prolongs it", async () => {
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

  test("is forgotten after a minute of silence", async () => {
    await report("one", [failing(m1)]);
    await pass(60);
    await report("two", []);
    assert.deepEqual(await avoided(), []);
    assert.deepEqual(await worker.fleet.exec("select * from votes"), []);
    assert.deepEqual(await worker.fleet.exec("select name from proxies"), [{ name: "two" }]);
  });
});

describe("with several proxies", () => {
  beforeEach(async () => {
    await report("two", []);
    await report("three", []);
  });

  test("the reports of one proxy have no effect", async () => {
    await report("one", [failing(m1), failing(m2)], undefined, 50);
    await report("one", [failing(m1)]);
    assert.deepEqual(await avoided(), []);
  });

  test("two that agree decide, and both are named", async () => {
    await report("one", [failing(m1), failing(m2)]);
    await report("three", [failing(m1)]);
    assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
    const [row] = await worker.db.select().from(serverHealth);
    assert.match(row!.why, /one: recv/);
    assert.match(row!.why, /three: recv/);
  });

  test("reports about different ports of a host do not agree", async () => {
    await report("one", [failing(m1)]);
    await report("two", [failing({ ...m1, port: 993 })]);
    assert.deepEqual(await avoided(), []);
  });

  test("one of two withdraws its report, and the server is used again", async () => {
    await report("one", [failing(m1)]);
    await report("two", [failing(m1)]);
    await report("three", [serving(m1)]);
    assert.deepEqual(
      await avoided(),
      ["192.0.2.1:143"],
      "a proxy cannot withdraw another's report",
    );
    await report("two", [serving(m1)]);
    assert.deepEqual(await avoided(), []);
  });

  test("an agreement lasts until one of the reports expires", async () => {
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

  test("the last proxy decides alone after the others have been silent for a minute", async () => {
    await pass(40);
    await report("one", [failing(m1)]);
    assert.deepEqual(await avoided(), []);
    await pass(20);
    await report("one", []);
    assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
  });
});

test("a second proxy appears, and one report is no longer enough", async () => {
  await report("one", [failing(m1)]);
  assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
  await report("two", []);
  assert.deepEqual(await avoided(), []);
});

test("an evicted object keeps its votes", async () => {
  await report("one", [failing(m1)]);
  await report("two", [failing(m1)]);
  await worker.fleet.evict();
  await report("one", [serving(m1)]);
  assert.deepEqual(await avoided(), []);
  await report("one", [failing(m1)]);
  assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
});

test("a write that the object's death interrupted is completed by the next report", async () => {
  await report("one", [failing(m1)]);
  // The states between the first note and the write, and between the write and the second note.
  await worker.db.delete(serverHealth);
  await worker.fleet.exec("update published set until = 0");
  await report("one", []);
  assert.deepEqual(await avoided(), ["192.0.2.1:143"]);
  await worker.fleet.exec("update published set until = 0");
  await report("one", [serving(m1)]);
  assert.deepEqual(await avoided(), []);
});

test("an alarm deletes expired votes without another report", async () => {
  await report("one", [failing(m1)], 50);
  await report("two", [failing(m1), failing(m2)], 50);
  await eventually(
    "the votes are deleted",
    async () => (await worker.fleet.exec("select * from published")).length === 0,
  );
  assert.deepEqual(await avoided(), []);
});

test("after simultaneous reports of many proxies the directory has the final agreement", async () => {
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

test("a proxy votes on at most 500 servers", async () => {
  const more = Array.from({ length: 700 }, (_, n) => ({ host: `m${n}.example.test`, port: 143 }));
  await report("one", more.slice(0, 350).map(failing));
  await report("one", more.slice(350).map(failing));
  const [{ count } = {}] = await worker.fleet.exec("select count(*) as count from votes");
  assert.equal(count, 500);
  await report("one", [serving(more[0]!), failing(more[699]!)]);
  const names = (await worker.fleet.exec("select host from votes")).map(({ host }) => host);
  assert.ok(!names.includes("m0.example.test") && names.includes("m699.example.test"));
});

test("SQL in a report is only text", async () => {
  const hostile = { host: "'; drop table votes; --", port: 143 };
  await report("' or 1=1 --", [{ ...hostile, state: "failing", why: "') --" }]);
  assert.deepEqual(await avoided(), [`${hostile.host}:143`]);
});
