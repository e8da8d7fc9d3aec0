import assert from "node:assert/strict";
import { test } from "node:test";
import { Repeats } from "../../../worker/passwords/verified-cache.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a password that was right is known again, with that hash and no other", () => {
  const repeats = new Repeats();
  assert.equal(repeats.has(bytes("wonderland"), "hash"), false);
  repeats.add(bytes("wonderland"), "hash");
  assert.equal(repeats.has(bytes("wonderland"), "hash"), true);
  assert.equal(repeats.has(bytes("wonderland"), "changed"), false);
  assert.equal(repeats.has(bytes("wunderland"), "hash"), false);
  assert.equal(repeats.has(bytes(""), "hash"), false);
});

test("what ends one does not begin the other", () => {
  const repeats = new Repeats();
  repeats.add(bytes("wonderland"), "hash");
  assert.equal(repeats.has(bytes("hwonderland"), "has"), false);
  assert.equal(repeats.has(bytes("onderland"), "hashw"), false);
});

test("it is forgotten after a minute, however often it was asked for", () => {
  let now = 1_000;
  const repeats = new Repeats(() => now);
  repeats.add(bytes("wonderland"), "hash");
  for (now = 1_000; now <= 61_000; now += 1_000) {
    assert.equal(repeats.has(bytes("wonderland"), "hash"), true, String(now));
  }
  now = 61_001;
  assert.equal(repeats.has(bytes("wonderland"), "hash"), false);
});

test("of more than ten thousand the one that was not asked for the longest goes first", () => {
  const repeats = new Repeats();
  for (let user = 0; user < 10_000; user += 1) repeats.add(bytes("wonderland"), `hash ${user}`);
  assert.equal(repeats.has(bytes("wonderland"), "hash 0"), true);
  repeats.add(bytes("wonderland"), "one more");
  assert.equal(repeats.has(bytes("wonderland"), "hash 0"), true);
  assert.equal(repeats.has(bytes("wonderland"), "hash 1"), false);
});
