import assert from "node:assert/strict";
import { test } from "node:test";
import type { HashClient } from "../../../worker/passwords/hash-queue.ts";
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

/** A client of no known network. Without an address it shares no network with others. */
const CLIENT: HashClient = { networks: [], trust: "unknown" };

const password = new TextEncoder().encode("wonderland");

interface Recording {
  readonly schemes: readonly PasswordScheme[];
  /** The stored texts that a password was compared with. */
  readonly verified: string[];
}

/** A scheme that accepts all texts and records them. `current` makes it as strong as argon2id. */
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

test("the first scheme whose form matches verifies the password", async () => {
  const never = recording(() => false);
  const always = recording(() => true);
  const both = [...always.schemes, ...never.schemes];
  assert.equal(await verifyPassword(password, "first", { client: CLIENT, schemes: both }), "right");
  assert.equal(
    await verifyPassword(password, "second", { client: CLIENT, schemes: never.schemes }),
    "wrong",
  );
  assert.deepEqual(never.verified, ["second"]);
});

test("a login of an unknown user computes one hash", async () => {
  const { schemes, verified } = recording(() => false);
  assert.equal(await simulateVerification(password, { client: CLIENT, schemes }), "wrong");
  assert.deepEqual(verified, [DUMMY_HASH]);
});

test("an unreadable hash is not a wrong password, and costs as much", async () => {
  const { schemes, verified } = recording((stored) => {
    if (stored === "broken") throw new UnreadableHash("broken");
    return false;
  }, false);
  assert.equal(
    await verifyPassword(password, "broken", { client: CLIENT, schemes: schemes }),
    "unreadable",
  );
  assert.deepEqual(verified, ["broken", DUMMY_HASH]);
});

test("a wrong password for a cheap hash costs as much as an unknown user", async () => {
  const { schemes, verified } = recording(() => false, false);
  assert.equal(
    await verifyPassword(password, "cheap", { client: CLIENT, schemes: schemes }),
    "wrong",
  );
  assert.deepEqual(verified, ["cheap", DUMMY_HASH]);
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
  await assert.rejects(
    verifyPassword(password, "faulty", { client: CLIENT, schemes: schemes }),
    RangeError,
  );
});

test("a right password is not hashed again, a wrong one is", async () => {
  const { schemes, verified } = recording((stored) => stored === "right");
  for (const stored of ["right", "wrong", "right", "wrong"]) {
    assert.equal(
      await verifyPassword(password, stored, { client: CLIENT, schemes: schemes }),
      stored,
    );
  }
  assert.deepEqual(verified, ["right", "wrong", "wrong"]);
});

test("a remembered password is unreadable once its scheme is not allowed", async () => {
  const stored = "{PLAIN}wonderland";
  assert.equal(
    await verifyPassword(password, stored, { client: CLIENT, schemes: SCHEMES }),
    "right",
  );
  assert.equal(await verifyPassword(password, stored, { client: CLIENT }), "unreadable");
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
  assert.equal(
    await verifyPassword(password, "after the flood", { client: CLIENT, schemes: schemes }),
    "wrong",
  );
});

test("a user who has just logged in gets in during a flood", async () => {
  const { schemes } = recording((stored) => stored === "known");
  assert.equal(
    await verifyPassword(password, "known", { client: CLIENT, schemes: schemes }),
    "right",
  );
  const flood = Array.from({ length: 50 }, () =>
    simulateVerification(password, { client: CLIENT, schemes }),
  );
  assert.equal(
    await verifyPassword(password, "known", { client: CLIENT, schemes: schemes }),
    "right",
  );
  await Promise.all(flood);
});

for (const [what, impossible] of Object.entries({
  "with a NUL": Uint8Array.of(...password, 0),
  "with a NUL, and repeated": Uint8Array.of(...password, 0, ...password),
  "of 512 bytes": new Uint8Array(512).fill(0x78),
})) {
  test(`a password ${what} is wrong for any hash, after the same time`, async () => {
    const { schemes, verified } = recording(() => true);
    assert.equal(
      await verifyPassword(impossible, "anything", { client: CLIENT, schemes: schemes }),
      "wrong",
    );
    assert.deepEqual(verified, [DUMMY_HASH]);
  });
}

test("the longest password that crypt(3) accepts is verified", async () => {
  const vectors = VECTORS.filter((vector) => vector.password.length === 511);
  assert.notEqual(vectors.length, 0);
  for (const vector of vectors) {
    assert.equal(await verifyPassword(vector.password, vector.stored, { client: CLIENT }), "right");
  }
});

test("the dummy hash costs as much as a new password's", () => {
  const cost = /^\$argon2id\$v=19\$[^$]+/;
  assert.equal(cost.exec(DUMMY_HASH)?.[0], cost.exec(hashPassword(password))?.[0]);
});

test("the dummy hash is readable", () => {
  assert.equal(readStored(DUMMY_HASH, SCHEMES).matches(password), false);
});
