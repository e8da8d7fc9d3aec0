import assert from "node:assert/strict";
import { test } from "node:test";
import { failureLimits } from "../../../worker/penalties/limits.ts";

test("a limit is a whole number, and any other text gives the default", () => {
  const variables = { FAILURES_PER_ACCOUNT: "5", FAILURES_PER_NETWORK: "50", FAILURE_WINDOW: "60" };
  assert.deepEqual(failureLimits(variables), {
    account: { failures: 5, window: 60_000 },
    network: { failures: 50, window: 60_000 },
  });
  for (const text of ["", "0", "-1", "ten", "1e3", "1.5", "9999999999"]) {
    const odd = { FAILURES_PER_ACCOUNT: text, FAILURES_PER_NETWORK: text, FAILURE_WINDOW: text };
    assert.deepEqual(failureLimits(odd), {
      account: { failures: 10, window: 600_000 },
      network: { failures: 30, window: 600_000 },
    });
  }
});
