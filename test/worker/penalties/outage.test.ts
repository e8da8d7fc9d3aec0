import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { OutageLog } from "../../../worker/penalties/outage.ts";

test("counts that cannot be asked are logged at once, and then once a minute with the number of logins", () => {
  const log = mock.method(console, "error", () => {});
  let now = 1_000_000;
  const outages = new OutageLog(() => now);
  for (let n = 0; n < 500; n++) outages.add("account", "no answer");
  outages.add("network", "no answer");
  now += 59_999;
  outages.add("account", "no answer");
  now += 1;
  for (let n = 0; n < 3; n++) outages.add("account", "overloaded");
  const lines = log.mock.calls.map(
    (call) => (JSON.parse(String(call.arguments[0])) as { message: string }).message,
  );
  assert.deepEqual(lines, [
    "a login goes on without the penalties of its account: no answer",
    "a login goes on without the penalties of its network: no answer",
    "a login goes on without the penalties of its account, like 500 before: overloaded",
  ]);
});
