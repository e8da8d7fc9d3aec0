// `npm start`, from the first start to the last process that must end.
import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, glob, readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { eq } from "drizzle-orm";
import { users } from "../../worker/directory/schema/index.ts";
import { eventually } from "../support/eventually.ts";
import { accepting, isFree } from "../support/programs/ports.ts";
import { Program, run } from "../support/programs/program.ts";
import { lacking } from "../support/programs/requirements.ts";
import { makeScratch, type Scratch } from "../support/programs/scratch.ts";
import { Wire } from "../support/peers/wire.ts";
import { startWorker } from "../support/worker/worker.ts";
import { alice, bob } from "./accounts.ts";
import { allPorts, host, demoPorts } from "./ports.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** The ports of two demos never meet where their shifts differ by a multiple of this. */
const SHIFT_STEP = 55;
/** The test that listens on this port, plus N, has the shift of N steps to itself. */
const FIRST_LOCK = 13_900;

let state: Scratch;
let shift: number;
let lock: Server;
before(async () => {
  state = await makeScratch();
  do {
    const steps = 1 + Math.floor(Math.random() * 90);
    lock?.close();
    lock = createServer().listen(FIRST_LOCK + steps, host);
    shift = steps * SHIFT_STEP;
  } while (!(await isListening(lock)) || !(await allFree()));
});
after(() => {
  lock.close();
  return state.remove();
});

async function isListening(server: Server): Promise<boolean> {
  try {
    await once(server, "listening");
    return true;
  } catch {
    return false;
  }
}

async function allFree(): Promise<boolean> {
  for (const port of allPorts(demoPorts(shift))) if (!(await isFree(port))) return false;
  return true;
}

async function untilAllFree(): Promise<void> {
  await eventually("all ports are free", allFree);
}

function start(...args: string[]): Program {
  const always = ["--port-shift", `${shift}`, "--state", state.path];
  return new Program(process.execPath, [main, ...always, ...args]);
}

/** Started, and its welcome shown: that is the last of what it does. */
async function started(t: TestContext): Promise<Program> {
  const demo = start();
  t.after(() => demo.stop());
  await demo.says("Ctrl-C");
  return demo;
}

/** The printed commands, to be pasted into a shell. */
function commands(demo: Program): string[] {
  return demo.stdout
    .split("\n")
    .filter((line) => /^ +(curl |printf |POSTERN_ADMIN_URL=)/.test(line));
}

describe("npm start", { skip: lacking("curl") }, () => {
  test("prints three commands, which work as printed", async (t) => {
    const demo = await started(t);
    const [list = "", send = "", admin = ""] = commands(demo);
    const listed = await run("sh", ["-c", list]);
    assert.match(listed.stdout, /"Welcome to mail1"/, listed.stderr);
    const sent = await run("sh", ["-c", send]);
    assert.equal(sent.end, 0, sent.stderr);
    const { pop3s } = demoPorts(shift).proxy;
    const login = ["-sSk", "--user", `${bob.address}:${bob.password}`];
    const read = await run("curl", [...login, `pop3s://${host}:${pop3s}/2`]);
    assert.match(read.stdout, /^Subject: Hello Bob\r$/m, read.stderr);
    const people = await run("sh", ["-c", admin]);
    assert.match(people.stdout, /^bob@example\.test\t/m, people.stderr);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`ends on ${signal}, sessions and all, and leaves nothing behind`, async (t) => {
      const demo = await started(t);
      const session = new Wire(connect(demoPorts(shift).proxy.imap, host));
      assert.match(await session.line(), /^\* OK /);
      demo.signal(signal);
      assert.equal(await demo.stop(signal), 0);
      assert.ok(await allFree());
    });
  }

  test("leaves nothing behind when it is killed by SIGKILL", async (t) => {
    const demo = await started(t);
    const session = new Wire(connect(demoPorts(shift).proxy.imap, host));
    assert.match(await session.line(), /^\* OK /);
    assert.equal(await demo.stop("SIGKILL"), "SIGKILL");
    await untilAllFree();
  });

  test("leaves nothing behind when it is killed while it starts", async (t) => {
    const demo = start();
    t.after(() => demo.stop());
    await accepting(demoPorts(shift).proxy.imap, t.signal);
    assert.equal(await demo.stop("SIGKILL"), "SIGKILL");
    await untilAllFree();
  });

  test("ends when npm is killed by SIGKILL", async (t) => {
    const args = [main, "--port-shift", `${shift}`, "--state", state.path];
    // Without `wait` the shell would become the demo; with it the shell stands in for npm.
    const shell = `"$0" "$@" & wait`;
    const env = { ...process.env, npm_lifecycle_event: "start" };
    const npm = new Program("sh", ["-c", shell, process.execPath, ...args], { env });
    t.after(() => npm.stop());
    await npm.says("Ctrl-C");
    assert.equal(await npm.stop("SIGKILL"), "SIGKILL");
    await untilAllFree();
  });

  test("keeps its users from one start to the next", async (t) => {
    const worker = await startWorker({ persist: state.path });
    const isAlice = eq(users.address, alice.address);
    await worker.db.update(users).set({ enabled: false }).where(isAlice);
    await worker.dispose();
    const demo = await started(t);
    const [list = ""] = commands(demo);
    const refused = await run("sh", ["-c", list]);
    assert.equal(refused.stderr, "curl: (67) Login denied\n");
  });

  test("names a taken port in one sentence", async (t) => {
    const { smtps } = demoPorts(shift).proxy;
    const other = createServer().listen(smtps, host);
    t.after(() => other.close());
    await once(other, "listening");
    const demo = start();
    assert.equal(await demo.ended, 1);
    assert.match(demo.stderr, new RegExp(`^npm start: port ${smtps} on ${host} is taken: .*\n$`));
  });

  test("names a broken database in one sentence, and leaves nothing behind", async (t) => {
    const broken = await makeScratch();
    t.after(() => broken.remove());
    await cp(state.path, broken.path, { recursive: true });
    for await (const file of glob(join(broken.path, "v3/d1/**/*.sqlite*"))) {
      await writeFile(file, "no database at all");
    }
    const demo = start("--state", broken.path);
    assert.equal(await demo.ended, 1);
    assert.match(demo.stderr, new RegExp(`^npm start: .*database in ${broken.path}.*\n$`));
    assert.ok(await allFree());
  });

  test("names an option that it does not know in one sentence", async () => {
    const demo = start("--prot-shift", "1");
    assert.equal(await demo.ended, 1);
    assert.match(demo.stderr, /^npm start: .*--prot-shift.*\n$/);
  });

  test("says so when the proxy dies, and ends", async (t) => {
    const demo = await started(t);
    const pid = Number(await readFile(join(state.path, "postern.pid"), "utf8"));
    process.kill(pid, "SIGKILL");
    assert.equal(await demo.ended, 1);
    assert.match(demo.stderr, /^npm start: the proxy has ended/m);
    assert.ok(await allFree());
  });
});
