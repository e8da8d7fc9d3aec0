// The ledger finds each kind of wrong, and nothing wrong in what a fault excuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger, type Visit } from "./ledger.ts";

const good: Visit = {
  door: "imap clear",
  address: "user1@example.test",
  isRight: true,
  began: 1000,
  answered: 1100,
  ended: 1200,
  told: "granted",
  words: [],
  work: "whole",
};

/** The violations of one visit, with an outage of this kind from 1150 on. */
function violations(changes: Partial<Visit>, cuts = false): string[] {
  const ledger = new Ledger();
  ledger.visits.push({ ...good, ...changes });
  ledger.outages.push({ name: "a fault", cuts, from: 1150, to: 1300 });
  return ledger.violations(500);
}

const WRONG: Readonly<Record<string, readonly [Partial<Visit>, RegExp]>> = {
  "a right password that is refused": [{ told: "refused", work: null }, /was refused/],
  "a wrong password that gets in": [{ isRight: false }, /got in/],
  "the mailbox of another user": [{ work: "foreign" }, /was foreign/],
  "a message with other bytes": [{ work: "damaged" }, /was damaged/],
  "an unknown answer": [{ told: "unknown", work: null }, /neither a yes nor/],
  "a late answer": [{ answered: 1501, ended: 1600 }, /waited 501 ms/],
  "a connection that ends without an answer": [
    { told: "cut", answered: null, work: null },
    /was cut/,
  ],
  "a connection that ends amid a message": [{ work: "cut" }, /was cut/],
};

for (const [name, [changes, words]] of Object.entries(WRONG)) {
  test(`the ledger finds ${name}`, () => {
    const [found = "", ...more] = violations(changes);
    assert.match(found, words);
    assert.deepEqual(more, []);
  });
}

test("the ledger excuses a cut by a fault that cuts, and only while it lasts", () => {
  for (const changes of [{ work: "cut" }, { told: "cut", answered: null, work: null }] as const) {
    assert.deepEqual(violations(changes, true), []);
    assert.equal(violations({ ...changes, ended: 1149 }, true).length, 1);
  }
});

test("the ledger finds nothing wrong in a yes, a refused wrong password and a temporary failure", () => {
  assert.deepEqual(violations({}), []);
  assert.deepEqual(violations({ isRight: false, told: "refused", work: null }), []);
  for (const isRight of [true, false]) {
    assert.deepEqual(violations({ isRight, told: "unavailable", work: null }), []);
  }
});

test("the ledger has a message that arrived damaged", () => {
  const ledger = new Ledger();
  ledger.damaged.push("user1@example.test");
  assert.match(ledger.violations(500).join(), /user1@example\.test arrived damaged/);
});
