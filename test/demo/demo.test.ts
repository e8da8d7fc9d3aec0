// `npm start`, as a newcomer meets it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, glob, readFile, writeFile } from "node:fs/promises";
import { createServer, connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { eq } from "drizzle-orm";
import { users } from "../../worker/directory/schema/index.ts";
import { isFree } from "../support/ports.ts";
import { Program, run } from "../support/program.ts";
import { lacking } from "../support/requirements.ts";
import { makeScratch, type Scratch } from "../support/scratch.ts";
import { Wire } from "../support/wire.ts";
import { startWorker } from "../support/worker.ts";
import { alice, bob } from "./accounts.ts";
import { allPorts, host, places } from "./addresses.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

let state: Scratch;
let shift: number;
before(async () => {
  state = await makeScratch();
  do shift = Math.ceil(Math.random() * 5000);
  while (!(await allFree()));
});
after(() => state.remove());

async function allFree(): Promise<boolean> {
  for (const port of allPorts(places(shift))) if (!(await isFree(port))) return false;
  return true;
}

function start(...args: string[]): Program {
  const always = ["--port-shift", `${shift}`, "--state", state.path];
  return new Program(process.execPath, [main, ...always, ...args]);
}

/** Started, and its screen shown: that is the last of what it does. */
async function started(t: TestContext): Promise<Program> {
  const demo = start();
  t.after(() => demo.stop());
  await demo.says("Ctrl-C");
  return demo;
}

/** The printed commands, to be pasted into a shell. */
function commands(demo: Program): string[] {
  return demo.stdout.split("\n").filter((line) => /^ +(curl|printf) /.test(line));
}

describe("npm start", { skip: lacking("curl") }, () => {
  test("prints two commands, which work as printed", async (t) => {
    const demo = await started(t);
    const [list = "", send = ""] = commands(demo);
    const listed = await run("sh", ["-c", list]);
    assert.match(listed.stdout, /"Welcome to mail1"/, listed.stderr);
    const sent = await run("sh", ["-c", send]);
    assert.equal(sent.end, 0, sent.stderr);
    const { pop3s } = places(shift).proxy;
    const login = ["-sSk", "--user", `${bob.address}:${bob.password}`];
    const read = await run("curl", [...login, `pop3s://${host}:${pop3s}/2`]);
    assert.match(read.stdout, /^Subject: Hello Bob\r$/m, read.stderr);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`ends on ${signal}, sessions and all, and leaves nothing behind`, async (t) => {
      const demo = await started(t);
      const session = new Wire(connect(places(shift).proxy.imap, host));
      assert.match(await session.line(), /^\* OK /);
      demo.signal(signal);
      assert.equal(await demo.stop(signal), 0);
      assert.ok(await allFree());
    });
  }

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
    const { smtps } = places(shift).proxy;
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
