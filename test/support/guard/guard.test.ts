// A run of `npm test` ends, whatever a test file does.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../eventually.ts";
import { run } from "../programs/program.ts";
import { makeScratch } from "../programs/scratch.ts";

const guard = ["runner.ts", "file.ts"].map((name) => fileURLToPath(new URL(name, import.meta.url)));
const [runner, file] = guard as [string, string];

/** Runs one test file of this content as `npm test` does, with short limits, and what `patterns` match besides. */
async function runFile(t: TestContext, content: string, patterns: readonly string[] = []) {
  const { path, remove } = await makeScratch();
  t.after(remove);
  await writeFile(join(path, "guarded.test.ts"), `${IMPORTS}${content}`);
  const guarded = [`--test-global-setup=${runner}`, "--import", file, "--test-timeout=1000"];
  const env = { PATH: process.env["PATH"], TEST_FILE_TIMEOUT: "3000", TEST_END_TIMEOUT: "300" };
  return run(process.execPath, ["--test", ...guarded, "guarded.test.ts", ...patterns], {
    cwd: path,
    env,
  });
}

const IMPORTS = `
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { before, test } from "node:test";
const started = (command, ...args) => console.log("started", spawn(command, args).pid);
`;

/** Waits for the end of the process that the file has started. */
async function assertGone(stdout: string): Promise<void> {
  const pid = Number(/^started (\d+)$/m.exec(stdout)?.[1]);
  assert.ok(pid > 0, stdout);
  await eventually(`process ${pid} is gone`, () => !isAlive(pid));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("a test file", { concurrency: true }, () => {
  test("that leaves nothing behind ends by itself", async (t) => {
    const { end, stdout } = await runFile(t, `test("quick", () => {});`);
    assert.equal(end, 0, stdout);
  });

  test("whose hook fails after it has started a program ends, and so does the program", async (t) => {
    const { end, stdout } = await runFile(
      t,
      `before(() => { started("sleep", "60"); throw new Error("too early"); });
       test("never run", () => {});`,
    );
    assert.equal(end, 1);
    assert.match(stdout, /Error: too early/);
    assert.match(stdout, /guarded\.test\.ts has run its tests and does not end: sleep\n/);
    await assertGone(stdout);
  });

  test("whose hook never settles fails and ends", async (t) => {
    const { end, stdout } = await runFile(
      t,
      `before(() => new Promise(() => createServer().listen(0)));
       test("never run", () => {});`,
    );
    assert.equal(end, 1);
    assert.match(stdout, /test timed out after 1000ms/);
    assert.match(stdout, /guarded\.test\.ts has run its tests and does not end: TCPServerWrap\n/);
  });

  test("that blocks its event loop is killed, and so is what it has started", async (t) => {
    const { end, stdout, stderr } = await runFile(
      t,
      `test("blocks", async () => {
         started("sleep", "60");
         await new Promise((resolve) => setTimeout(resolve, 100));
         for (;;);
       });`,
    );
    assert.equal(end, 1);
    assert.equal(stderr, "guarded.test.ts has not ended within 3 s and is killed\n");
    assert.match(stdout, /✖ guarded\.test\.ts/);
    await assertGone(stdout);
  });
});

describe("a run of tests", () => {
  for (const pattern of ["missing.test.ts", "missing/**/*.test.ts"]) {
    test(`fails where ${pattern} matches no file`, async (t) => {
      const { end, stdout, stderr } = await runFile(t, `test("quick", () => {});`, [pattern]);
      assert.notEqual(end, 0, stdout);
      assert.ok(stderr.includes(`no test file matches ${pattern}`), stderr);
      assert.doesNotMatch(stdout, /quick/);
    });
  }
});
