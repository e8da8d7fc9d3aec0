import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  CHEAP_HASH,
  SCHEMES,
  hashPassword,
  needsRehash,
  readStored,
} from "../../support/worker/passwords.ts";
import { inputs } from "../../support/property.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const verify = (password: Uint8Array, stored: string) =>
  readStored(stored, SCHEMES).matches(password);

const VECTORS: { made: string; password: Uint8Array; hash: string }[] = [
  {
    made: "argon2 saltsaltsaltsalt -id -t 2 -k 19456 -p 1",
    password: bytes("wonderland"),
    hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$KJ1RHp6e5Vq0yc9x/B5HkXAdDt+6ASGqACdN8hyeIKc",
  },
  {
    made: "argon2, of bytes that are no UTF-8",
    password: Uint8Array.from(Buffer.from("b\xfcilder\xff", "latin1")),
    hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$LFn8t58KvKNOPjc4LcUV0atsuHTFUhNMV6GPsWZKi1w",
  },
  {
    made: "argon2 othersalt -id -t 1 -k 1024 -p 4 -l 16",
    password: bytes("wonderland"),
    hash: CHEAP_HASH,
  },
  {
    made: "doveadm pw -s ARGON2ID",
    password: bytes("wonderland"),
    hash: "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$pbBYT/pxfwT2udrLUUQNSQ$pkQln05LKsftXoOiG6gan7Yd97A5tIai7/yIA9n5Pq8",
  },
  {
    made: "doveadm pw, of a password that is not ASCII",
    password: bytes("pässwörd"),
    hash: "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$5XoFrQyCyvSmDZloOLWqGw$TB2VzTWRlFgcqPHXofo92NSWeG0n22wJ8cbiFKfYN6k",
  },
  {
    made: "doveadm pw, of an empty password",
    password: bytes(""),
    hash: "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$GZPTDWRH3x+aw279z2MVgg$mydsqdsJEjj+GVs3qDpgcAGf5Ibgxuk5pZkZzBhM8tM",
  },
];

for (const { made, password, hash } of VECTORS) {
  test(`the hash made by a real tool is verified: ${made}`, () => {
    assert.equal(verify(password, hash), true);
    assert.equal(verify(Uint8Array.of(...password, 0x21), hash), false);
  });
}

test("a prefix of a password is wrong, even if letters take several bytes", () => {
  const hash = hashPassword(bytes("pässwörd"));
  assert.equal(verify(bytes("pässwörd"), hash), true);
  assert.equal(verify(bytes("pässwör"), hash), false);
  assert.equal(verify(bytes("pässwö"), hash), false);
});

test("any bytes match only their own hash", () => {
  const password = fc.uint8Array({ maxLength: 100 });
  fc.assert(
    fc.property(password, password, (one, other) => {
      const hash = hashPassword(one);
      assert.equal(verify(one, hash), true);
      assert.equal(verify(other, hash), Buffer.compare(one, other) === 0);
    }),
    inputs(1000),
  );
});

test("the same password hashes differently each time", () => {
  assert.notEqual(hashPassword(bytes("wonderland")), hashPassword(bytes("wonderland")));
});

for (const [flaw, hash] of Object.entries({
  "no tag": "$argon2id$v=19$m=1024,t=1,p=1$b3RoZXJzYWx0",
  "no version": "$argon2id$m=1024,t=1,p=1$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g",
  "letters for numbers": "$argon2id$v=19$m=lots,t=1,p=1$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g",
  "a salt that is too short": "$argon2id$v=19$m=1024,t=1,p=1$YQ$V9DGrzPdfqIn1/vtAGyb8g",
  "broken base64": "$argon2id$v=19$m=1024,t=1,p=1$b3RoZXJzYWx0$V9DGr*PdfqIn1/vtAGyb8g",
  "no passes": "$argon2id$v=19$m=1024,t=0,p=1$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g",
  "more memory than 64 MiB": "$argon2id$v=19$m=65537,t=1,p=1$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g",
  "more work than four passes over it":
    "$argon2id$v=19$m=65536,t=5,p=1$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g",
})) {
  test(`a stored hash with ${flaw} is unreadable, not a wrong password`, () => {
    assert.throws(() => verify(bytes("wonderland"), hash), { name: "UnreadableHash" });
  });
}

for (const [hash, expected] of [
  ["$argon2id$v=19$m=19456,t=2,p=1$", false],
  ["{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$", false],
  ["$argon2id$v=19$m=65536,t=1,p=1$", false],
  ["$argon2id$v=19$m=19456,t=1,p=1$", true],
  ["$argon2id$v=19$m=19455,t=3,p=1$", true],
  ["$argon2i$v=19$m=65536,t=3,p=1$", true],
] as const) {
  test(`a hash of ${hash} ${expected ? "needs" : "does not need"} a new hash`, () => {
    assert.equal(needsRehash(`${hash}b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g`), expected);
  });
}
