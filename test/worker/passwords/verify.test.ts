import assert from "node:assert/strict";
import { test } from "node:test";
import type { PasswordScheme } from "../../../worker/passwords/scheme.ts";
import {
  NOBODYS_HASH,
  UnreadableHash,
  hashPassword,
  spendVerification,
  verifyPassword,
} from "../../support/passwords.ts";

const password = new TextEncoder().encode("wonderland");

/** A scheme for every text, which notes the hashes that it is asked to verify. */
function recording(answer: (stored: string) => boolean): [PasswordScheme, string[]] {
  const verified: string[] = [];
  const scheme: PasswordScheme = {
    name: "recording",
    matches: () => true,
    verify(_, stored) {
      verified.push(stored);
      return answer(stored);
    },
  };
  return [scheme, verified];
}

test("a password is right or wrong by the first scheme that matches", () => {
  const [never, asked] = recording(() => false);
  assert.equal(verifyPassword(password, "x", [recording(() => true)[0], never]), "right");
  assert.equal(verifyPassword(password, "x", [never]), "wrong");
  assert.deepEqual(asked, ["x"]);
});

test("where there is no user one hash is computed all the same", () => {
  const [scheme, verified] = recording(() => false);
  spendVerification(password, [scheme]);
  assert.deepEqual(verified, [NOBODYS_HASH]);
});

test("a hash that cannot be read is told apart from a wrong password, and costs as much", () => {
  const [scheme, verified] = recording((stored) => {
    if (stored === "broken") throw new UnreadableHash("broken");
    return false;
  });
  assert.equal(verifyPassword(password, "broken", [scheme]), "unreadable");
  assert.deepEqual(verified, ["broken", NOBODYS_HASH]);
});

test("a hash of no known scheme cannot be read", () => {
  assert.equal(verifyPassword(password, "{UNHEARD-OF}abc"), "unreadable");
});

test("a fault that is none of the hash's is not swallowed", () => {
  const [scheme] = recording(() => {
    throw new RangeError("out of memory");
  });
  assert.throws(() => verifyPassword(password, "x", [scheme]), RangeError);
});

test("nobody's hash costs what a new password's does", () => {
  const cost = /^\$argon2id\$v=19\$[^$]+/;
  assert.equal(cost.exec(NOBODYS_HASH)?.[0], cost.exec(hashPassword(password))?.[0]);
});

test("nobody's hash is sound", () => {
  assert.equal(verifyPassword(password, NOBODYS_HASH), "wrong");
});
