import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { hostname } from "node:os";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FleetClient } from "../../../proxy/fleet/index.ts";
import { version } from "../../../proxy/version.ts";
import { type LineServer, startLineServer } from "../../support/line-server.ts";

const NEVER = 1_000_000_000;
const PACE = { beat: NEVER, presence: NEVER, first: 1, slowest: 4, refused: 1 };

let fleet: LineServer;
let live: FleetClient | null;
/** What was done to sessions and lookups. */
let done: string[];
let log: string[];
/** Says when one of the two grows. */
let news: EventEmitter;
/** Whoever waits for timers of the line alone would be taken for idle. */
let busy: NodeJS.Timeout;

beforeEach(async () => {
  busy = setInterval(() => {}, 2 ** 30);
  fleet = await startLineServer();
  live = null;
  done = [];
  log = [];
  news = new EventEmitter();
});
afterEach(async () => {
  live?.close();
  await fleet.close();
  clearInterval(busy);
});

function add(list: string[], what: string): void {
  list.push(what);
  news.emit("news");
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await once(news, "news");
}

function start(pace: Partial<typeof PACE> = {}, heard: number | null = null): FleetClient {
  const host = {
    kick: (user: string) => Promise.resolve(add(done, `kick ${user}`)),
    forget: () => add(done, "forget"),
    sessions: () => Promise.resolve(3),
  };
  live = new FleetClient(
    { url: fleet.url, key: "postern_its-own" },
    host,
    { write: (level, message) => add(log, `${level}: ${message}`) },
    heard,
    { ...PACE, ...pace },
  );
  return live;
}

const kick = (number: number, ...names: string[]) => ({ kind: "kick", number, names });
const heard = (last: number, complete = true) => ({ kind: "heard", last, complete });

test("a proxy says who it is, with its own key, and again after a while", async () => {
  start({ presence: 1 });
  const line = await fleet.accepted();
  const { age, ...presence } = await line.next();
  assert.deepEqual(presence, { host: hostname(), version, sessions: 3, heard: null });
  assert.ok(Number(age) > 0);
  line.say(heard(5));
  while ((await line.next())["heard"] !== 5);
  assert.equal(fleet.asked[0]!.authorization, "Bearer postern_its-own");
  assert.match(fleet.asked[0]!["user-agent"]!, /^postern\//);
});

test("a kick ends sessions by each of its names, as bytes, and one that comes twice is one", async () => {
  start();
  const line = await fleet.accepted();
  line.say(kick(1, "alice@example.test", "u1"));
  line.say(kick(1, "alice@example.test", "u1"));
  line.say(kick(2, "jürgen@example.test"));
  await until(() => done.length === 3);
  assert.deepEqual(done, [
    "kick alice@example.test",
    "kick u1",
    `kick ${Buffer.from("jürgen@example.test").toString("latin1")}`,
  ]);
});

test("a line that breaks is opened anew, and what is known is told", async () => {
  const { heard: before } = start({}, 7);
  assert.equal(before, 7);
  const first = await fleet.accepted();
  assert.equal((await first.next())["heard"], 7);
  first.say(kick(8, "alice@example.test"));
  await until(() => done.length === 1);
  first.cut();
  const second = await fleet.accepted();
  assert.equal((await second.next())["heard"], 8);
  assert.deepEqual(log, []);
});

test("a path that has died under a line is noticed", async () => {
  fleet.answering = false;
  start({ beat: 10 });
  await fleet.accepted();
  await fleet.accepted();
});

test("where the worker no longer knows what was missed, all lookups are asked anew", async () => {
  start({}, 7);
  const line = await fleet.accepted();
  line.say(heard(3, false));
  await until(() => done.length === 1);
  assert.deepEqual(done, ["forget"]);
  line.say(kick(4, "alice@example.test"));
  await until(() => done.length === 2);
});

test("what cannot be understood is told once and harms nothing; what a later worker says is let pass", async () => {
  start();
  const line = await fleet.accepted();
  for (const garbage of ["{", "null", "<html>", kick(-1, "a"), { kind: "kick", number: 1 }]) {
    line.say(garbage);
  }
  line.say({ kind: "greet", whom: "everybody" });
  line.say(kick(1, "", "a\nb", "x".repeat(2000), "alice@example.test"));
  await until(() => done.length === 1);
  assert.deepEqual(done, ["kick alice@example.test"]);
  assert.deepEqual(log, ["warn: fleet sends what cannot be understood, ignored"]);
});

describe("while no line can be opened", () => {
  for (const [status, level] of [
    [403, "alert"],
    [401, "alert"],
    [500, "error"],
    [426, "error"],
  ] as const) {
    test(`as the worker answers ${status}, one line says so, without the key, and one that it is over`, async () => {
      fleet.status = status;
      start();
      await until(() => log.length === 1);
      // Each try is two requests: the line's, and one that is told why.
      await fleet.askedTimes(fleet.asked.length + 6);
      fleet.status = 101;
      const line = await fleet.accepted();
      line.say(heard(0));
      await until(() => log.length === 2);
      const why =
        status === 426 ? `${fleet.url} keeps no WebSocket open` : `${fleet.url} answered ${status}`;
      assert.deepEqual(log, [
        `${level}: fleet cannot be listened to: ${why}`,
        "notice: fleet is listened to again",
      ]);
    });
  }
});

test("who is closed opens no line any more", async () => {
  start();
  const line = await fleet.accepted();
  await line.next();
  live!.close();
  line.cut();
  await new Promise((settled) => setTimeout(settled, 20));
  assert.equal(fleet.asked.length, 1);
});
