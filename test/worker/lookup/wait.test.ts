import assert from "node:assert/strict";
import { test } from "node:test";
import { waitAfter } from "../../../worker/lookup/wait.ts";

test("the wait doubles from one second, until there is no going on", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 1_000_000].map(waitAfter), [1, 2, 4, 8, null, null, null]);
});
