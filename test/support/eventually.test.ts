// The waiting of tests ends, and says what it waited for.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "./eventually.ts";

/** Lets timers pass at once, so long as the promise is unsettled. */
async function hastened<Result>(t: TestContext, start: () => Promise<Result>): Promise<Result> {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let isSettled = false;
  const result = start().finally(() => (isSettled = true));
  result.catch(() => {});
  while (!isSettled) {
    t.mock.timers.runAll();
    await new Promise(setImmediate);
  }
  return result;
}

test("waiting returns the first thing that is found", async (t) => {
  let looks = 0;
  const found = await hastened(t, () => eventually("it is there", () => ++looks > 3 && `${looks}`));
  assert.equal(found, "4");
});

test("waiting in vain is an error that says what was awaited", async (t) => {
  const waiting = hastened(t, () => eventually("the moon is blue", () => Promise.resolve(null)));
  await assert.rejects(waiting, { message: "waited in vain until the moon is blue" });
});

test("an error while looking is the error of the waiting", async () => {
  const failed = eventually("it is there", () => Promise.reject(new Error("cannot look")));
  await assert.rejects(failed, { message: "cannot look" });
});
