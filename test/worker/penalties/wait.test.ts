import assert from "node:assert/strict";
import { test } from "node:test";
import { waitAfter } from "../../../worker/penalties/wait.ts";

test("the wait doubles from one second until the session ends", () => {
  const waits = [1, 2, 3, 4, 5, 6, 1_000_000].map((attempt) => waitAfter(attempt));
  assert.deepEqual(waits, [1, 2, 4, 8, null, null, null]);
});

test("the wait doubles with each fifth of the permitted failures, up to 15 seconds", () => {
  const waits = [0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.9].map((failureRatio) =>
    waitAfter(1, failureRatio),
  );
  assert.deepEqual(waits, [1, 2, 2, 4, 8, 15, 15]);
});

test("after the last permitted failure there is no wait, so the session ends", () => {
  assert.deepEqual(
    [1, 1.1, 100].map((failureRatio) => waitAfter(1, failureRatio)),
    [null, null, null],
  );
});

test("the longer of the two waits counts", () => {
  assert.equal(waitAfter(4, 0.1), 8);
  assert.equal(waitAfter(2, 0.9), 15);
});
