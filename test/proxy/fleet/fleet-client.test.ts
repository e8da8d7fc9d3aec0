import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { hostname } from "node:os";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FleetClient } from "../../../proxy/fleet/index.ts";
import { version } from "../../../proxy/version.ts";
import { type LiveServer, startLiveServer } from "../../support/live-server.ts";

const NEVER = 1_000_000_000;
const TIMING = { ping: NEVER, presence: NEVER, first: 1, slowest: 4, refused: 1 };

let fleet: LiveServer;
let live: FleetClient | null;
/** The calls that sessions and lookups received. */
let done: string[];
let log: string[];
/** Emits when one of the two grows. */
let news: EventEmitter;
/** Keeps the process alive: the timers of the client do not. */
let busy: NodeJS.Timeout;

beforeEach(async () => {
  busy = setInterval(() => {}, 2 ** 30);
  fleet = await startLiveServer();
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

function start(timing: Partial<typeof TIMING> = {}, heard: number | null = null): FleetClient {
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
    { ...TIMING, ...timing },
  );
  return live;
}

const kick = (number: number, ...names: string[]) => ({ kind: "kick", number, names });
const heard = (last: number, complete = true) => ({ kind: "heard", last, complete });

test("a proxy sends its presence with its own key, and sends it again", async () => {
  start({ presence: 1 });
  const socket = await fleet.accepted();
  const { age, ...presence } = await socket.next();
  assert.deepEqual(presence, { host: hostname(), version, sessions: 3, heard: null });
  assert.ok(Number(age) > 0);
  socket.send(heard(5));
  while ((await socket.next())["heard"] !== 5);
  assert.equal(fleet.requests[0]!.authorization, "Bearer postern_its-own");
  assert.match(fleet.requests[0]!["user-agent"]!, /^postern\//);
});

test("a kick ends sessions by each of its names, in UTF-8, and counts once if it comes twice", async () => {
  start();
  const socket = await fleet.accepted();
  socket.send(kick(1, "alice@example.test", "u1"));
  socket.send(kick(1, "alice@example.test", "u1"));
  socket.send(kick(2, "jürgen@example.test"));
  await until(() => done.length === 3);
  assert.deepEqual(done, [
    "kick alice@example.test",
    "kick u1",
    `kick ${Buffer.from("jürgen@example.test").toString("latin1")}`,
  ]);
});

test("a socket that breaks is opened anew, with the number of the last kick", async () => {
  const { lastKick: before } = start({}, 7);
  assert.equal(before, 7);
  const first = await fleet.accepted();
  assert.equal((await first.next())["heard"], 7);
  first.send(kick(8, "alice@example.test"));
  await until(() => done.length === 1);
  first.cut();
  const second = await fleet.accepted();
  assert.equal((await second.next())["heard"], 8);
  assert.deepEqual(log, []);
});

test("a socket without answers to pings is opened anew", async () => {
  fleet.answering = false;
  start({ ping: 10 });
  await fleet.accepted();
  await fleet.accepted();
});

test("all cached lookups are dropped if the worker has lost kicks that were missed", async () => {
  start({}, 7);
  const socket = await fleet.accepted();
  socket.send(heard(3, false));
  await until(() => done.length === 1);
  assert.deepEqual(done, ["forget"]);
  socket.send(kick(4, "alice@example.test"));
  await until(() => done.length === 2);
});

test("a message that is not understood is logged once and does no harm, and one of a newer worker is let pass", async () => {
  start();
  const socket = await fleet.accepted();
  for (const garbage of ["{", "null", "<html>", kick(-1, "a"), { kind: "kick", number: 1 }]) {
    socket.send(garbage);
  }
  socket.send({ kind: "greet", whom: "everybody" });
  socket.send(kick(1, "", "a\nb", "x".repeat(2000), "alice@example.test"));
  await until(() => done.length === 1);
  assert.deepEqual(done, ["kick alice@example.test"]);
  assert.deepEqual(log, ["warn: fleet sent a message that is not understood, ignored"]);
});

describe("while no socket can be opened", () => {
  for (const [status, level] of [
    [403, "alert"],
    [401, "alert"],
    [500, "error"],
    [426, "error"],
  ] as const) {
    test(`as the worker answers ${status}, the log has one line about it, without the key, and one when it is over`, async () => {
      fleet.status = status;
      start();
      await until(() => log.length === 1);
      // Each try is two requests: the WebSocket, and the one that asks for the reason.
      await fleet.requested(fleet.requests.length + 6);
      fleet.status = 101;
      const socket = await fleet.accepted();
      socket.send(heard(0));
      await until(() => log.length === 2);
      const why =
        status === 426
          ? `${fleet.url} does not keep a WebSocket open`
          : `${fleet.url} answered ${status}`;
      assert.deepEqual(log, [
        `${level}: fleet connection failed: ${why}`,
        "notice: fleet is connected again",
      ]);
    });
  }
});

test("a closed client opens no socket any more", async () => {
  start();
  const socket = await fleet.accepted();
  await socket.next();
  live!.close();
  socket.cut();
  await new Promise((settled) => setTimeout(settled, 20));
  assert.equal(fleet.requests.length, 1);
});
