import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedRun } from "../../../worker/fleet/shared-run.ts";

/** Runs that the test ends one by one. */
function heldRuns() {
  const runs: PromiseWithResolvers<void>[] = [];
  const shared = new SharedRun(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  });
  return { runs, shared };
}

/** Lets all promises settle that can. */
const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("calls that come while the work runs share one run after it, so that each run begins after its calls", async () => {
  const { runs, shared } = heldRuns();
  const ended: string[] = [];
  const call = (name: string) => shared.run().then(() => ended.push(name));
  const calls = [call("first")];
  await settled();
  calls.push(call("second"), call("third"));
  await settled();
  assert.equal(runs.length, 1);
  runs[0]!.resolve();
  await settled();
  assert.deepEqual(ended, ["first"]);
  assert.equal(runs.length, 2);
  runs[1]!.resolve();
  await Promise.all(calls);
  assert.deepEqual(ended, ["first", "second", "third"]);
});

test("a run that fails is an error for its own calls alone", async () => {
  const { runs, shared } = heldRuns();
  const first = shared.run();
  await settled();
  const second = shared.run();
  runs[0]!.reject(new Error("the directory is away"));
  await assert.rejects(first, /away/);
  await settled();
  runs[1]!.resolve();
  await second;
});
