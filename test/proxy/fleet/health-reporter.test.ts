import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { afterEach, beforeEach, describe, test } from "node:test";
import { HealthReporter } from "../../../proxy/fleet/index.ts";
import type { HealthReport } from "../../../shared/fleet.ts";

const NEVER = 1_000_000_000;
/** ms: longer than every time of the reporters below. */
const HOUR = 3_600_000;

const m1 = { host: "192.0.2.1", port: 143 };
const m2 = { host: "m2.example.test", port: 993 };

let reporter: HealthReporter;
/** The reports posted, request by request. */
let told: (readonly HealthReport[])[];
/** Emits when one has come, before it is answered. */
let requests: EventEmitter;
let answer: () => Promise<void>;
let log: string[];
/** Keeps the process alive: the timer of the reporter does not. */
let busy: NodeJS.Timeout;

beforeEach(() => {
  busy = setInterval(() => {}, 2 ** 30);
  told = [];
  log = [];
  requests = new EventEmitter();
  answer = () => Promise.resolve();
});
afterEach(() => {
  reporter.close();
  clearInterval(busy);
});

async function start(soonest: number, again: number): Promise<void> {
  reporter = new HealthReporter(
    (reports) => {
      told.push(reports);
      requests.emit("request");
      return answer();
    },
    { write: (level, message) => void log.push(`${level}: ${message}`) },
    { soonest, again },
  );
  await once(requests, "request");
}

const next = () => once(requests, "request");

test("a proxy posts an empty request at its start and at intervals", async () => {
  await start(0, 5);
  await next();
  await next();
  assert.deepEqual(told, [[], [], []]);
});

test("reports of the same moment go out in one request", async () => {
  await start(1, NEVER);
  reporter.failing(m1, "refused");
  reporter.failing(m2, "timed out");
  await next();
  assert.deepEqual(told, [
    [],
    [
      { ...m1, state: "failing", why: "refused" },
      { ...m2, state: "failing", why: "timed out" },
    ],
  ]);
});

test("a second request does not come before the first is answered", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = start(1, NEVER);
  t.mock.timers.tick(1);
  await started;
  answer = () => promise;
  // The answer to the first request arrives in these turns.
  await new Promise(setImmediate);
  reporter.failing(m1, "refused");
  t.mock.timers.tick(1);
  reporter.failing(m2, "refused");
  t.mock.timers.tick(HOUR);
  assert.equal(told.length, 2);
  resolve();
  await new Promise(setImmediate);
  t.mock.timers.tick(1);
  assert.deepEqual(
    told[2]!.map(({ host }) => host),
    [m2.host],
  );
});

test("a server that goes on failing is not reported at each failure", async () => {
  await start(0, NEVER);
  for (let n = 0; n < 10; n++) reporter.failing(m1, "refused");
  await next();
  for (let n = 0; n < 10; n++) reporter.failing(m1, "refused");
  reporter.failing(m2, "refused");
  await next();
  assert.deepEqual(
    told.flat().map(({ host }) => host),
    [m1.host, m2.host],
  );
});

test("a failing server is reported again after a while, when it has failed again", async () => {
  await start(0, 10);
  reporter.failing(m1, "refused");
  for (let reports = told.flat(); reports.length < 2; reports = told.flat()) {
    await next();
    reporter.failing(m1, "again");
  }
  assert.deepEqual(
    told.flat().map(({ why }) => why),
    ["refused", "again"],
  );
});

test("a server that serves is reported once, if it failed before", async () => {
  await start(0, NEVER);
  reporter.serving(m1);
  reporter.failing(m2, "refused");
  await next();
  reporter.serving(m1);
  reporter.serving(m2);
  reporter.serving(m2);
  await next();
  assert.deepEqual(told.slice(1), [
    [{ ...m2, state: "failing", why: "refused" }],
    [{ ...m2, state: "serving" }],
  ]);
});

test("only the last state of a server is reported", async () => {
  await start(1, NEVER);
  reporter.failing(m1, "refused");
  reporter.serving(m1);
  await next();
  assert.deepEqual(told[1], [{ ...m1, state: "serving" }]);
});

test("a reason is reported without control characters", async () => {
  await start(0, NEVER);
  reporter.failing(m1, 'not ready: "* BYE\x1b[2J\r\nbusy\x07"');
  await next();
  assert.equal(told[1]![0]!.why, 'not ready: "* BYE [2J busy "');
});

test("many servers are reported in several requests, and a long reason is cut", async () => {
  await start(0, NEVER);
  for (let n = 0; n < 250; n++)
    reporter.failing({ host: `m${n}.test`, port: 143 }, "x".repeat(500));
  await next();
  await next();
  await next();
  assert.deepEqual(
    told.map((reports) => reports.length),
    [0, 100, 100, 50],
  );
  assert.ok(told.flat().every(({ why }) => why?.length === 200));
});

describe("while the fleet is out of reach", () => {
  test("the log has one line about it, and one when it is over", async () => {
    answer = () => Promise.reject(new Error("no answer"));
    await start(0, 1);
    for (let n = 0; n < 5; n++) await next();
    answer = () => Promise.resolve();
    await next();
    await next();
    assert.deepEqual(log, [
      "error: fleet health report failed: no answer",
      "notice: fleet takes health reports again",
    ]);
  });

  test("a lost report of a failure is repeated at the next failure, and one of a serving server in any case", async () => {
    answer = () => Promise.reject(new Error("no answer"));
    await start(0, 1);
    reporter.failing(m1, "lost");
    reporter.failing(m2, "lost");
    reporter.serving(m2);
    while (!told.flat().some(({ state }) => state === "serving")) await next();
    await next();
    told.length = 0;
    answer = () => Promise.resolve();
    reporter.failing(m1, "seen again");
    while (told.flat().length < 2) await next();
    assert.deepEqual(
      told.flat().toSorted((one, other) => one.port - other.port),
      [
        { ...m1, state: "failing", why: "seen again" },
        { ...m2, state: "serving" },
      ],
    );
  });
});

test("a closed reporter posts nothing any more", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const started = start(1, 1);
  t.mock.timers.tick(1);
  await started;
  reporter.close();
  const count = told.length;
  reporter.failing(m1, "refused");
  t.mock.timers.tick(HOUR);
  assert.equal(told.length, count);
});
