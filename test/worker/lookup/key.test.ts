import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ONE_SERVER } from "../../support/directory.ts";
import { type Harness, startHarness } from "../../support/harness.ts";

const SEED = {
  ...ONE_SERVER,
  users: [{ address: "alice@example.test", password: "wonderland", group: "mail", server: "m1" }],
};

const UNSET: Record<string, Record<string, string>> = {
  "no key": {},
  "an empty key": { LOOKUP_KEYS: "" },
  "nothing but commas for keys": { LOOKUP_KEYS: " , ," },
};

describe("with two keys, as during a rotation", () => {
  let worker: Harness;
  before(async () => {
    worker = await startHarness({ seed: SEED, secrets: { LOOKUP_KEYS: "canary-old, canary-new" } });
  });
  after(() => worker.close());

  for (const key of ["canary-old", "canary-new"]) {
    test(`a caller with either key is answered: ${key}`, async () => {
      assert.equal((await worker.ask({ "X-Auth-Key": key })).auth["auth-status"], "OK");
    });
  }

  const WRONG = {
    none: undefined,
    "an empty one": "",
    "a wrong one": "key",
    "the beginning of one": "canary-ol",
    "more than one": "canary-oldX",
    "one in capitals": "CANARY-OLD",
    "both, as configured": "canary-old, canary-new",
    "a very long one": "k".repeat(10_000),
  };
  for (const [which, key] of Object.entries(WRONG)) {
    test(`a caller with ${which} gets 403, and no header for nginx`, async () => {
      const { status, auth } = await worker.ask({ "X-Auth-Key": key });
      assert.equal(status, 403);
      assert.deepEqual(auth, {});
    });
  }

  test("the key is checked before the rest of the lookup", async () => {
    const headers = { "X-Auth-Key": "wrong", "Auth-Method": undefined };
    assert.equal((await worker.ask(headers)).status, 403);
  });

  test("the other path requires the key too", async () => {
    const { status } = await worker.ask({ "X-Auth-Key": "wrong" }, "/cgi-bin/nginxauth.cgi");
    assert.equal(status, 403);
  });

  test("no key is logged", () => {
    assert.doesNotMatch(worker.logs(), /canary/);
  });
});

for (const [how, secrets] of Object.entries(UNSET)) {
  describe(`with ${how} configured`, () => {
    let worker: Harness;
    before(async () => {
      worker = await startHarness({ seed: SEED, secrets });
    });
    after(() => worker.close());

    test("every lookup is refused, and the log says what to do", async () => {
      for (const key of [undefined, "", "undefined", "development"]) {
        const { status, auth } = await worker.ask({ "X-Auth-Key": key });
        assert.equal(status, 403, `with the key ${key}`);
        assert.deepEqual(auth, {});
      }
      assert.match(worker.logs(), /wrangler secret put LOOKUP_KEYS/);
    });
  });
}
