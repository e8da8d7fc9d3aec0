import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { readOptions } from "./options.ts";

test("each port shift keeps its state in a directory of its own", () => {
  const { state } = readOptions([]);
  assert.equal(basename(state), ".state");
  const shifted = readOptions(["--port-shift", "1000"]);
  assert.deepEqual(shifted, { shift: 1000, state: join(state, "port-shift-1000") });
  assert.equal(readOptions(["--port-shift", "2000"]).state, join(state, "port-shift-2000"));
});

test("--state names the directory, which is relative to the root of the repository", () => {
  const root = dirname(readOptions([]).state);
  const options = readOptions(["--port-shift", "1000", "--state", "elsewhere"]);
  assert.deepEqual(options, { shift: 1000, state: join(root, "elsewhere") });
});
