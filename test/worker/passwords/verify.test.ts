import assert from "node:assert/strict";
import { test } from "node:test";
import type { HashClient } from "../../../worker/passwords/hash-queue.ts";
import type { PasswordScheme } from "../../../worker/passwords/schemes/scheme.ts";
import {
  allowedSchemes,
  SCHEMES,
  UnreadableHash,
  simulateVerification,
  verifyPassword,
  WorkProfile,
} from "../../support/worker/passwords.ts";
import { VECTORS } from "./vectors.ts";

const STRONG = allowedSchemes();

/** A client of no known network. Without an address it shares no network with others. */
const CLIENT: HashClient = { networks: [], trust: "unknown" };

const password = new TextEncoder().encode("wonderland");

/** Without dummy work, which `work.test.ts` counts. */
const profile = new WorkProfile(() => undefined);

const verify = (stored: string, schemes = STRONG, given: Uint8Array = password) =>
  verifyPassword(given, stored, { client: CLIENT, schemes, profile });

interface Recording {
  readonly schemes: readonly PasswordScheme[];
  /** The stored texts that a password was compared with. */
  readonly verified: string[];
}

/** A scheme that accepts all texts and records them. */
function recording(answer: (stored: string) => boolean): Recording {
  const verified: string[] = [];
  const scheme: PasswordScheme = {
    names: ["RECORDING"],
    form: /^/,
    read: ({ text }) => ({
      current: true,
      matches() {
        verified.push(text);
        return answer(text);
      },
    }),
  };
  return { schemes: [scheme], verified };
}

test("the first scheme whose form matches verifies the password", async () => {
  const never = recording(() => false);
  const always = recording(() => true);
  const both = [...always.schemes, ...never.schemes];
  assert.equal(await verify("first", both), "right");
  assert.equal(await verify("second", never.schemes), "wrong");
  assert.deepEqual(never.verified, ["second"]);
});

test("an unreadable hash is not a wrong password", async () => {
  const { schemes } = recording(() => {
    throw new UnreadableHash("broken");
  });
  assert.equal(await verify("broken", schemes), "unreadable");
});

test("a hash of an unknown scheme is unreadable", async () => {
  assert.equal(await verifyPassword(password, "{UNHEARD-OF}abc", { client: CLIENT }), "unreadable");
});

test("a hash of a weak scheme is unreadable unless the scheme is allowed", async () => {
  assert.equal(
    await verifyPassword(password, "{PLAIN}wonderland", { client: CLIENT }),
    "unreadable",
  );
  assert.equal(
    await verifyPassword(password, "{PLAIN}wonderland", { client: CLIENT, schemes: SCHEMES }),
    "right",
  );
});

test("an error with another cause is thrown", async () => {
  const { schemes } = recording(() => {
    throw new RangeError("out of memory");
  });
  await assert.rejects(verify("faulty", schemes), RangeError);
});

test("a right password is not hashed again, a wrong one is", async () => {
  const { schemes, verified } = recording((stored) => stored === "right");
  for (const stored of ["right", "wrong", "right", "wrong"]) {
    assert.equal(await verify(stored, schemes), stored);
  }
  assert.deepEqual(verified, ["right", "wrong", "wrong"]);
});

test("a remembered password is unreadable once its scheme is not allowed", async () => {
  const stored = "{PLAIN}wonderland";
  assert.equal(await verify(stored, SCHEMES), "right");
  assert.equal(await verify(stored), "unreadable");
});

test("all verifications of strangers beyond forty at a time are answered busy", async () => {
  const { schemes, verified } = recording(() => false);
  const verdicts = await Promise.all(
    Array.from({ length: 44 }, (_, index) =>
      verifyPassword(password, `flood ${index}`, { client: CLIENT, schemes: schemes }),
    ),
  );
  assert.deepEqual(verdicts, [...Array(40).fill("wrong"), ...Array(4).fill("busy")]);
  assert.equal(verified.length, 40);
  assert.equal(await verify("after the flood", schemes), "wrong");
});

test("a user who has just logged in gets in during a flood", async () => {
  const { schemes } = recording((stored) => stored === "known");
  assert.equal(await verify("known", schemes), "right");
  const flood = Array.from({ length: 50 }, () =>
    simulateVerification(password, { client: CLIENT, profile }),
  );
  assert.equal(await verify("known", schemes), "right");
  await Promise.all(flood);
});

for (const [what, impossible] of Object.entries({
  "with a NUL": Uint8Array.of(...password, 0),
  "with a NUL, and repeated": Uint8Array.of(...password, 0, ...password),
  "of 512 bytes": new Uint8Array(512).fill(0x78),
})) {
  test(`a password ${what} is wrong for any hash, which it is not compared with`, async () => {
    const { schemes, verified } = recording(() => true);
    assert.equal(await verify("anything", schemes, impossible), "wrong");
    assert.deepEqual(verified, []);
  });
}

test("the longest password that crypt(3) accepts is verified", async () => {
  const vectors = VECTORS.filter((vector) => vector.password.length === 511);
  assert.notEqual(vectors.length, 0);
  for (const vector of vectors) {
    assert.equal(await verify(vector.stored, STRONG, vector.password), "right");
  }
});
