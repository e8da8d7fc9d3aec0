import assert from "node:assert/strict";
import { test } from "node:test";
import { type Steps, atOnce, inSlices } from "../../proxy/slices.ts";

test("other work goes on between slices, and the work comes to its end", async () => {
  let turns = 0;
  function* untilOthersHadTurns(): Steps<string> {
    setImmediate(function again() {
      if (++turns < 3) setImmediate(again);
    });
    while (turns < 3) yield;
    return "done";
  }
  assert.equal(await inSlices(untilOthersHadTurns()), "done");
});

test("an error of the work is thrown, in slices and at once", async () => {
  function* failing(): Steps<never> {
    yield;
    throw new Error("wrong");
  }
  await assert.rejects(inSlices(failing()), /^Error: wrong$/);
  assert.throws(() => atOnce(failing()), /^Error: wrong$/);
});

test("work at once is done when it returns", () => {
  function* work(): Steps<string> {
    yield;
    yield;
    return "done";
  }
  assert.equal(atOnce(work()), "done");
});
