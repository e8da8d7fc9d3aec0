import assert from "node:assert/strict";
import { test } from "node:test";
import { VerifiedPasswords } from "../../../worker/passwords/verified-passwords.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a verified password is known with its hash and with no other", () => {
  const verifiedPasswords = new VerifiedPasswords();
  assert.equal(verifiedPasswords.has(bytes("wonderland"), "hash"), false);
  verifiedPasswords.add(bytes("wonderland"), "hash");
  assert.equal(verifiedPasswords.has(bytes("wonderland"), "hash"), true);
  assert.equal(verifiedPasswords.has(bytes("wonderland"), "changed"), false);
  assert.equal(verifiedPasswords.has(bytes("wunderland"), "hash"), false);
  assert.equal(verifiedPasswords.has(bytes(""), "hash"), false);
});

test("the boundary between hash and password matters", () => {
  const verifiedPasswords = new VerifiedPasswords();
  verifiedPasswords.add(bytes("wonderland"), "hash");
  assert.equal(verifiedPasswords.has(bytes("hwonderland"), "has"), false);
  assert.equal(verifiedPasswords.has(bytes("onderland"), "hashw"), false);
});

test("a password is forgotten after a minute, even if it was used", () => {
  let now = 1_000;
  const verifiedPasswords = new VerifiedPasswords(() => now);
  verifiedPasswords.add(bytes("wonderland"), "hash");
  for (now = 1_000; now <= 61_000; now += 1_000) {
    assert.equal(verifiedPasswords.has(bytes("wonderland"), "hash"), true, String(now));
  }
  now = 61_001;
  assert.equal(verifiedPasswords.has(bytes("wonderland"), "hash"), false);
});

test("beyond ten thousand passwords the least recently used goes first", () => {
  const verifiedPasswords = new VerifiedPasswords();
  for (let user = 0; user < 10_000; user += 1)
    verifiedPasswords.add(bytes("wonderland"), `hash ${user}`);
  assert.equal(verifiedPasswords.has(bytes("wonderland"), "hash 0"), true);
  verifiedPasswords.add(bytes("wonderland"), "one more");
  assert.equal(verifiedPasswords.has(bytes("wonderland"), "hash 0"), true);
  assert.equal(verifiedPasswords.has(bytes("wonderland"), "hash 1"), false);
});
