// The entry: which Node it wants, and where it keeps compiled code.
import assert from "node:assert/strict";
import { chmod, chown, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { posternEntry } from "../support/real-servers/index.ts";
import { run } from "../support/programs/program.ts";
import { makeScratch } from "../support/programs/scratch.ts";

async function scratch(t: TestContext): Promise<string> {
  const { path, remove } = await makeScratch();
  t.after(remove);
  return path;
}

/** Runs `-v` with this environment, and returns the names in the directory for compiled code. */
async function cached(directory: string, env: Readonly<Record<string, string>>): Promise<string[]> {
  const unset = { NODE_COMPILE_CACHE: "", CACHE_DIRECTORY: "", XDG_CACHE_HOME: "", HOME: "" };
  const { end, stderr } = await run(process.execPath, [posternEntry, "-v"], {
    env: { ...unset, ...env },
  });
  assert.equal(end, 0);
  assert.match(stderr, /^postern version: .+\n$/);
  return readdir(directory).catch(() => []);
}

test("an old Node is told which one is needed", async (t) => {
  const old = join(await scratch(t), "old.cjs");
  await writeFile(
    old,
    `const versions = { ...process.versions, node: "20.20.2" };
     Object.defineProperty(process, "versions", { value: versions });
     Object.defineProperty(process, "version", { value: "v20.20.2" });`,
  );
  const { end, stderr } = await run(process.execPath, ["--require", old, posternEntry, "-t"]);
  assert.equal(end, 1);
  assert.match(stderr, /^postern: Node v20\.20\.2 is too old, Postern needs Node 26: .+\n$/);
});

describe("compiled code is kept", () => {
  for (const [variable, below] of [
    ["CACHE_DIRECTORY", ""],
    ["XDG_CACHE_HOME", "postern"],
    ["HOME", ".cache/postern"],
  ] as const) {
    test(`below ${variable}, for this user alone`, async (t) => {
      const home = await scratch(t);
      const directory = join(home, below);
      const names = await cached(directory, { [variable]: home });
      assert.equal(names.filter((name) => name.startsWith(`${process.version}-`)).length, 1);
      assert.equal((await stat(directory)).mode & 0o022, 0);
    });
  }

  test("where NODE_COMPILE_CACHE says", async (t) => {
    const [home, own] = [await scratch(t), join(await scratch(t), "own")];
    assert.deepEqual(await cached(home, { HOME: home, NODE_COMPILE_CACHE: own }), []);
    assert.equal((await readdir(own)).length, 1);
  });
});

describe("compiled code is not kept", () => {
  test("in a directory that others may write to", async (t) => {
    const directory = await scratch(t);
    await chmod(directory, 0o770);
    assert.deepEqual(await cached(directory, { CACHE_DIRECTORY: directory }), []);
  });

  test("below a directory that others may write to", async (t) => {
    const above = await scratch(t);
    await chmod(above, 0o777);
    const directory = join(above, "cache");
    assert.deepEqual(await cached(directory, { CACHE_DIRECTORY: directory }), []);
  });

  const skip = process.getuid?.() !== 0 && "only root can give a directory away";
  test("in a directory of another user", { skip }, async (t) => {
    const directory = join(await scratch(t), "theirs");
    await mkdir(directory, { mode: 0o700 });
    await chown(directory, 65534, 65534);
    assert.deepEqual(await cached(directory, { CACHE_DIRECTORY: directory }), []);
  });

  test("without a home", async (t) => {
    const directory = await scratch(t);
    assert.deepEqual(await cached(directory, {}), []);
    assert.deepEqual(await cached(directory, { HOME: "/proc/none" }), []);
  });
});
