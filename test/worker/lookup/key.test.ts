import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ONE_SERVER } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";

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

describe("with LOOKUP_NETWORKS", () => {
  const starting = (LOOKUP_NETWORKS: string) =>
    startHarness({ seed: SEED, secrets: { LOOKUP_KEYS: "canary-key" }, vars: { LOOKUP_NETWORKS } });
  const KEY = { "X-Auth-Key": "canary-key" };

  test("a caller from a listed network is answered, and others get 403 as with a wrong key", async () => {
    const worker = await starting("192.0.2.0/24, 2001:db8::/32\n198.51.100.7");
    const wrong = await worker.ask({ "X-Auth-Key": "wrong" });
    for (const [caller, status] of [
      ["192.0.2.1", 200],
      ["::ffff:192.0.2.1", 200],
      ["2001:db8:ffff::1", 200],
      ["198.51.100.7", 200],
      ["198.51.100.8", 403],
      ["2001:db9::1", 403],
      ["192.0.2.1, 203.0.113.1", 403],
      ["192.0.2", 403],
      ["localhost", 403],
      ["", 403],
    ] as const) {
      const answer = await worker.ask({ ...KEY, "CF-Connecting-IP": caller });
      assert.equal(answer.status, status, caller);
      if (status === 403) assert.deepEqual(answer, wrong);
    }
    // Only Cloudflare's own header counts.
    for (const header of ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP"]) {
      const headers = { ...KEY, "CF-Connecting-IP": "203.0.113.1", [header]: "192.0.2.1" };
      assert.equal((await worker.ask(headers)).status, 403, header);
    }
    assert.match(worker.logs(), /a caller with a lookup key is not in LOOKUP_NETWORKS/);
    assert.match(worker.logs(), /198\.51\.100\.8/);
    assert.doesNotMatch(worker.logs(), /canary/);
    await worker.close();
  });

  test("a setting that is no list of networks refuses every lookup, and the log says so", async () => {
    for (const setting of ["192.0.2.0/24 everywhere", "192.0.2.0/33", "*"]) {
      const worker = await starting(setting);
      const answer = await worker.ask({ ...KEY, "CF-Connecting-IP": "192.0.2.1" });
      assert.equal(answer.status, 403, setting);
      assert.match(worker.logs(), /LOOKUP_NETWORKS is not a list/);
      await worker.close();
    }
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
