// Ten reloads and a binary upgrade under 2,000 busy sessions and a stream of new clients.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { openFiles } from "../../../../proxy/process/os/open-files.ts";
import { route, startLookupEndpoint } from "../../../support/peers/lookup-endpoint.ts";
import { attempt, granted, greeted, untilClosed } from "../../../support/peers/mail-client.ts";
import { startPostern } from "../../../support/real-servers/index.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import type { Program } from "../../../support/programs/program.ts";
import { grantImap, startUpstream } from "../../../support/peers/upstream.ts";
import { Wire } from "../../../support/peers/wire.ts";
import { isRefused } from "../clients.ts";
import { upgrades } from "./upgrade.ts";

const SESSIONS = 2000;
const RELOADS = 10;
const WORKERS = 2;
/** Sessions that log in at a time. */
const AT_ONCE = 50;
/** Sessions that send at the same time, and new clients that connect at the same time. */
const TALKING = 16;
const COMING = 4;
/** ms that a session is silent after a line. */
const THOUGHT = 10;
/** Clients that were served, and lines that were sent, between one reload and the next. */
const CLIENTS = 5;
const LINES = 500;

/** This process has both ends of every session. */
const FILES = 2 * SESSIONS + 1000;

function lackOfFiles(): string | false {
  const { soft } = openFiles() ?? { soft: FILES };
  if (soft >= FILES) return false;
  const reason = `wants ${FILES} open files, and may have ${soft}`;
  if (process.env["CI"] === "true") throw new Error(reason);
  return reason;
}

/** A logged-in session with a server that echoes every line. */
class Session {
  readonly #wire: Wire;
  readonly #name: string;
  #said = 0;

  constructor(wire: Wire, name: string) {
    this.#wire = wire;
    this.#name = name;
  }

  async say(): Promise<void> {
    const line = `${this.#name} says line ${++this.#said} ${"x".repeat(100)}`;
    this.#wire.write(`${line}\r\n`);
    assert.equal(await this.#wire.line(), line);
  }

  /** @returns the remaining lines */
  end(): Promise<string[]> {
    this.#wire.end();
    return untilClosed(this.#wire);
  }
}

/** Null where the worker is draining and says BYE. */
async function logIn(port: number, name: string): Promise<Session | null> {
  const wire = new Wire(connect(port, "127.0.0.1"));
  const greeting = await wire.line();
  const answer = greeting.startsWith("* OK ") ? await attempt("imap", wire) : greeting;
  if (granted.imap.test(answer)) return new Session(wire, name);
  assert.match(answer, /^\* BYE \[UNAVAILABLE\] /);
  assert.deepEqual(await untilClosed(wire), []);
  return null;
}

/** Work that goes on until `stop`, which throws its failure. */
class Bustle {
  readonly #all: Promise<unknown>;
  #over = false;
  #count = 0;
  #goal = 0;
  #reached = () => {};

  /** @param step one repetition of a runner; resolves to true if the repetition counts */
  constructor(width: number, step: (index: number, turn: number) => Promise<boolean>) {
    const run = async (index: number): Promise<void> => {
      for (let turn = 0; !this.#over; turn++) {
        if ((await step(index, turn)) && ++this.#count === this.#goal) this.#reached();
      }
    };
    this.#all = Promise.all(Array.from({ length: width }, (_, index) => run(index)));
    this.#all.catch(() => {});
  }

  /** Waits for this many more counted steps. */
  async more(count: number): Promise<void> {
    this.#goal = this.#count + count;
    await Promise.race([this.#all, new Promise<void>((resolve) => (this.#reached = resolve))]);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#all;
  }
}

async function start(t: TestContext): Promise<{ program: Program; port: number }> {
  const upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    for (;;) wire.write(`${await wire.line()}\r\n`);
  });
  t.after(() => upstream.close());
  const endpoint = await startLookupEndpoint(() => route(upstream.port));
  t.after(() => endpoint.close());
  const [port = 0] = await freePorts(1);
  const postern = await startPostern(`
    pid nginx.pid;
    worker_processes ${WORKERS};
    error_log stderr notice;
    events { worker_connections ${4 * SESSIONS}; }
    mail {
      auth_http ${endpoint.address};
      access_log off;
      server { listen 127.0.0.1:${port} backlog=1024; protocol imap; }
    }
  `);
  t.after(() => postern.stop());
  return { program: postern.program, port };
}

test(
  `${SESSIONS} sessions at work go through ${RELOADS} reloads and a binary upgrade without the loss of a byte, and no new client is refused`,
  { skip: lackOfFiles() },
  async (t) => {
    const changer = upgrades(t);
    const { program, port } = await start(t);
    const upgrade = changer(program);
    const sessions: Session[] = [];
    while (sessions.length < SESSIONS) {
      const names = Array.from({ length: AT_ONCE }, (_, index) => `s${sessions.length + index}`);
      const some = await Promise.all(names.map((name) => logIn(port, name)));
      for (const session of some) {
        assert.ok(session !== null);
        sessions.push(session);
      }
    }
    const share = SESSIONS / TALKING;
    const talk = new Bustle(TALKING, async (index, turn) => {
      await sessions[index * share + (turn % share)]!.say();
      await pause(THOUGHT);
      return true;
    });
    const clients = new Bustle(COMING, async (index, turn) => {
      const session = await logIn(port, `client ${index}.${turn}`);
      await session?.say();
      assert.deepEqual((await session?.end()) ?? [], []);
      return session !== null;
    });
    const bustle = () => Promise.all([talk.more(LINES), clients.more(CLIENTS)]);

    let started = WORKERS;
    const reload = async (pid: number): Promise<void> => {
      process.kill(pid, "SIGHUP");
      await program.logs(/start worker process/, (started += WORKERS));
      await bustle();
    };
    const old = program.pid!;
    for (let count = 0; count < RELOADS / 2; count++) await reload(old);
    const fresh = await upgrade();
    await program.logs(/start worker process/, (started += WORKERS));
    await bustle();
    process.kill(old, "SIGQUIT");
    await bustle();
    for (let count = 0; count < RELOADS / 2; count++) await reload(fresh);

    await clients.stop();
    await talk.stop();
    for (const session of sessions) {
      await session.say();
      assert.deepEqual(await session.end(), []);
    }
    await program.logs(new RegExp(` ${old}#${old}: exit$`));
    (await greeted("imap", port)).end();
    process.kill(fresh, "SIGQUIT");
    assert.equal(await program.ended, 0);
    assert.ok(await isRefused(port));
    assert.doesNotMatch(program.stderr, /\[(?:warn|error|alert|emerg)\]/);
  },
);
