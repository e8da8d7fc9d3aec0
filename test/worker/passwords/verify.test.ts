import assert from "node:assert/strict";
import { test } from "node:test";
import type { PasswordScheme } from "../../../worker/passwords/schemes/scheme.ts";
import {
  DUMMY_HASH,
  SCHEMES,
  UnreadableHash,
  hashPassword,
  readStored,
  simulateVerification,
  verifyPassword,
} from "../../support/passwords.ts";
import { VECTORS } from "./vectors.ts";

const password = new TextEncoder().encode("wonderland");

interface Recording {
  readonly schemes: readonly PasswordScheme[];
  /** The texts that a password was compared with. */
  readonly verified: string[];
}

/** A scheme for every text, which notes what is to be verified. `current`: as if by argon2id. */
function recording(answer: (stored: string) => boolean, current = true): Recording {
  const verified: string[] = [];
  const scheme: PasswordScheme = {
    names: ["RECORDING"],
    form: /^/,
    read: ({ text }) => ({
      current,
      matches() {
        verified.push(text);
        return answer(text);
      },
    }),
  };
  return { schemes: [scheme], verified };
}

test("a password is right or wrong by the first scheme whose form the text has", async () => {
  const never = recording(() => false);
  const always = recording(() => true);
  const both = [...always.schemes, ...never.schemes];
  assert.equal(await verifyPassword(password, "first", both), "right");
  assert.equal(await verifyPassword(password, "second", never.schemes), "wrong");
  assert.deepEqual(never.verified, ["second"]);
});

test("where there is no user one hash is computed all the same", async () => {
  const { schemes, verified } = recording(() => false);
  assert.equal(await simulateVerification(password, schemes), "wrong");
  assert.deepEqual(verified, [DUMMY_HASH]);
});

test("a hash that cannot be read is told apart from a wrong password, and costs as much", async () => {
  const { schemes, verified } = recording((stored) => {
    if (stored === "broken") throw new UnreadableHash("broken");
    return false;
  }, false);
  assert.equal(await verifyPassword(password, "broken", schemes), "unreadable");
  assert.deepEqual(verified, ["broken", DUMMY_HASH]);
});

test("a wrong password for a cheaper hash costs what it does for a user who is unknown", async () => {
  const { schemes, verified } = recording(() => false, false);
  assert.equal(await verifyPassword(password, "cheap", schemes), "wrong");
  assert.deepEqual(verified, ["cheap", DUMMY_HASH]);
});

test("a hash of no known scheme cannot be read", async () => {
  assert.equal(await verifyPassword(password, "{UNHEARD-OF}abc"), "unreadable");
});

test("a weak scheme cannot be read unless it is allowed", async () => {
  assert.equal(await verifyPassword(password, "{PLAIN}wonderland"), "unreadable");
  assert.equal(await verifyPassword(password, "{PLAIN}wonderland", SCHEMES), "right");
});

test("a fault that is none of the hash's is not swallowed", async () => {
  const { schemes } = recording(() => {
    throw new RangeError("out of memory");
  });
  await assert.rejects(verifyPassword(password, "faulty", schemes), RangeError);
});

test("what was right a moment ago is not computed again, what was wrong is", async () => {
  const { schemes, verified } = recording((stored) => stored === "right");
  for (const stored of ["right", "wrong", "right", "wrong"]) {
    assert.equal(await verifyPassword(password, stored, schemes), stored);
  }
  assert.deepEqual(verified, ["right", "wrong", "wrong"]);
});

test("what was right a moment ago is no longer so once its scheme is not allowed", async () => {
  const stored = "{PLAIN}wonderland";
  assert.equal(await verifyPassword(password, stored, SCHEMES), "right");
  assert.equal(await verifyPassword(password, stored), "unreadable");
});

test("beyond sixteen verifications at a time nobody is told anything but to come back", async () => {
  const { schemes, verified } = recording(() => false);
  const verdicts = await Promise.all(
    Array.from({ length: 20 }, (_, index) => verifyPassword(password, `flood ${index}`, schemes)),
  );
  assert.deepEqual(verdicts, [...Array(16).fill("wrong"), ...Array(4).fill("busy")]);
  assert.equal(verified.length, 16);
  assert.equal(await verifyPassword(password, "after the flood", schemes), "wrong");
});

test("somebody who was let in a moment ago is let in during a flood", async () => {
  const { schemes } = recording((stored) => stored === "known");
  assert.equal(await verifyPassword(password, "known", schemes), "right");
  const flood = Array.from({ length: 20 }, () => simulateVerification(password, schemes));
  assert.equal(await verifyPassword(password, "known", schemes), "right");
  await Promise.all(flood);
});

for (const [what, impossible] of Object.entries({
  "with a NUL": Uint8Array.of(...password, 0),
  "with a NUL, and repeated": Uint8Array.of(...password, 0, ...password),
  "of 512 bytes": new Uint8Array(512).fill(0x78),
})) {
  test(`a password ${what} is wrong whatever is stored, after as long`, async () => {
    const { schemes, verified } = recording(() => true);
    assert.equal(await verifyPassword(impossible, "anything", schemes), "wrong");
    assert.deepEqual(verified, [DUMMY_HASH]);
  });
}

test("the longest password that crypt(3) takes is verified", async () => {
  const vectors = VECTORS.filter((vector) => vector.password.length === 511);
  assert.notEqual(vectors.length, 0);
  for (const vector of vectors) {
    assert.equal(await verifyPassword(vector.password, vector.stored), "right");
  }
});

test("nobody's hash costs what a new password's does", () => {
  const cost = /^\$argon2id\$v=19\$[^$]+/;
  assert.equal(cost.exec(DUMMY_HASH)?.[0], cost.exec(hashPassword(password))?.[0]);
});

test("nobody's hash is sound", () => {
  assert.equal(readStored(DUMMY_HASH, SCHEMES).matches(password), false);
});
