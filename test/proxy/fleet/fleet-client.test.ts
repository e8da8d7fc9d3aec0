import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { hostname } from "node:os";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FleetClient } from "../../../proxy/fleet/index.ts";
import type { Kick } from "../../../proxy/revocation/index.ts";
import { version } from "../../../proxy/version.ts";
import { type LiveServer, startLiveServer } from "../../support/peers/live-server.ts";

const NEVER = 1_000_000_000;
const TIMING = { ping: NEVER, presence: NEVER, first: 1, slowest: 4, refused: 1 };

let fleet: LiveServer;
let live: FleetClient | null;
/** The calls that sessions and lookups received. */
let done: string[];
let log: string[];
/** The states of the line. */
let lines: string[];
/** Emits when one of the three grows. */
let news: EventEmitter;
/** Keeps the process alive: the timers of the client do not. */
let busy: NodeJS.Timeout;

beforeEach(async () => {
  busy = setInterval(() => {}, 2 ** 30);
  fleet = await startLiveServer();
  live = null;
  done = [];
  log = [];
  lines = [];
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
    kick: (kicks: readonly Kick[]) => {
      for (const { names, user } of kicks) {
        add(done, `kick ${names.join(" ")}${user === null ? "" : ` before ${user.version}`}`);
      }
    },
    lostKicks: () => add(done, "lost"),
    changed: (line: string) => add(lines, line),
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
  // The replicas of a directory may lag behind kicks from before the start.
  assert.ok(Number(age) > 300_000);
  socket.send(heard(5));
  while ((await socket.next())["heard"] !== 5);
  assert.equal(fleet.requests[0]!.authorization, "Bearer postern_its-own");
  assert.match(fleet.requests[0]!["user-agent"]!, /^postern\//);
});

test("a kick has the user's names and version, and counts once if it comes twice", async () => {
  start();
  const socket = await fleet.accepted();
  const user = { id: "AAAAAAAAAAAAAAAAAAAAAA", version: 5 };
  socket.send({ ...kick(1, "alice@example.test", "u1"), user });
  socket.send(kick(1, "alice@example.test", "u1"));
  socket.send(kick(2, "jürgen@example.test"));
  await until(() => done.length === 2);
  assert.deepEqual(done, ["kick alice@example.test u1 before 5", "kick jürgen@example.test"]);
});

describe("the line", () => {
  test("catches up before it is connected, and the kicks that were missed come first", async () => {
    start();
    const socket = await fleet.accepted();
    await socket.next();
    assert.deepEqual(lines, ["catching up"]);
    socket.send(kick(1, "alice"));
    socket.send(kick(2, "bob"));
    socket.send(heard(2));
    await until(() => lines.length === 2);
    assert.deepEqual(done, ["kick alice", "kick bob"]);
    assert.deepEqual(lines, ["catching up", "connected"]);
  });

  test("is away from the moment that the socket breaks until the next one has caught up", async () => {
    start();
    const first = await fleet.accepted();
    first.send(heard(0));
    await until(() => lines.includes("connected"));
    first.cut();
    const second = await fleet.accepted();
    await second.next();
    assert.deepEqual(lines, ["catching up", "connected", "away", "catching up"]);
  });

  test("is away when the worker falls silent, and kicks that came before are carried out", async () => {
    start({ ping: 10 });
    const socket = await fleet.accepted();
    socket.send(heard(0));
    await until(() => lines.includes("connected"));
    fleet.answering = false;
    socket.send(kick(1, "alice"));
    await until(() => lines.includes("away"));
    assert.deepEqual(done, ["kick alice"]);
  });

  test("is refused from the first refusal of the key until the key opens a socket, and not away between", async () => {
    fleet.status = 401;
    start();
    await until(() => lines.includes("refused"));
    await fleet.requested(fleet.requests.length + 6);
    fleet.status = 101;
    const socket = await fleet.accepted();
    socket.send(heard(0));
    await until(() => lines.includes("connected"));
    assert.deepEqual(
      lines.slice(lines.indexOf("refused")).filter((line) => line !== "refused"),
      ["catching up", "connected"],
    );
  });
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

test("lost kicks are an alert, and count before the line is connected", async () => {
  start({}, 7);
  const socket = await fleet.accepted();
  socket.send(heard(3, false));
  await until(() => lines.includes("connected"));
  assert.deepEqual(done, ["lost"]);
  assert.match(log.join("\n"), /^alert: fleet has lost kicks that this proxy missed: /);
  socket.send(kick(4, "alice@example.test"));
  await until(() => done.length === 2);
});

test("a kick that is missing between two others is lost", async () => {
  start({}, 7);
  const socket = await fleet.accepted();
  socket.send(kick(8, "alice"));
  socket.send('{"kind":"kick","number":9,"names":"bob"}');
  socket.send(kick(10, "carol"));
  await until(() => done.includes("kick carol"));
  assert.deepEqual(done, ["kick alice", "lost", "kick carol"]);
  assert.match(log.join("\n"), /^alert: fleet has lost kicks that this proxy missed: /m);
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
          : `${fleet.url} answered ${status}${level === "alert" ? ' (check the key in "fleet")' : ""}`;
      const use =
        level === "alert"
          ? "cached lookups are not used"
          : "cached lookups only stand in for an endpoint that is away";
      assert.deepEqual(log, [
        `${level}: fleet connection failed: ${why}, ${use}`,
        "notice: fleet is connected again",
      ]);
    });
  }
});

test("a closed client opens no socket any more", async () => {
  const first = start();
  const socket = await fleet.accepted();
  await socket.next();
  first.close();
  socket.cut();
  // Three times another client waits as long as the first one would, and no socket is the first one's.
  start({}, 7);
  for (let count = 0; count < 4; count++) {
    const other = await fleet.accepted();
    assert.equal((await other.next())["heard"], 7);
    other.cut();
  }
});
