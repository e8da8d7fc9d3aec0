/** Every refusal does the same work. The work is counted, since a time proves nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Work } from "../../../worker/passwords/schemes/scheme.ts";
import {
  hashPassword,
  readStored,
  SCHEMES,
  simulateVerification,
  verifyPassword,
  WorkProfile,
} from "../../support/worker/passwords.ts";
import { VECTORS } from "./vectors.ts";

const client = { networks: [], trust: "unknown" } as const;
const wrong = new TextEncoder().encode("a wrong password");

/** All schemes, but those that verify count their work and do none, so that no cost takes time here. */
function counted() {
  let done: Work[] = [];
  const add = (work: Work | undefined) => void (work !== undefined && done.push(work));
  const schemes = SCHEMES.map((scheme) => ({
    ...scheme,
    read(text: Parameters<typeof scheme.read>[0]) {
      const hash = scheme.read(text);
      return {
        ...hash,
        matches() {
          add(hash.work);
          return false;
        },
      };
    },
  }));
  const profile = new WorkProfile(add);
  return {
    profile,
    options: { client, schemes, profile },
    /** The units of each kind since the last call. */
    take: (): Record<string, number> => {
      const units: Record<string, number> = {};
      for (const work of done) units[work.kind] = (units[work.kind] ?? 0) + work.units;
      done = [];
      return units;
    },
  };
}

const BCRYPT_12 = "$2y$12$" + "x".repeat(53);
const BCRYPT_4 = "$2y$04$" + "x".repeat(53);
const ARGON2ID = hashPassword(wrong);

test("an unknown user, and wrong passwords for argon2id and for bcrypt of any cost, cost the same", async () => {
  const { options, take } = counted();
  const expected = { argon2: 2 * 19_456, bcrypt: 4096 };
  // The first one teaches the profile.
  for (const stored of [BCRYPT_12, ARGON2ID, BCRYPT_4, BCRYPT_12]) {
    assert.equal(await verifyPassword(wrong, stored, options), "wrong");
    assert.deepEqual(take(), expected, stored.slice(0, 10));
  }
  await simulateVerification(wrong, options);
  assert.deepEqual(take(), expected);
  assert.equal(await verifyPassword(wrong, "!", options), "unreadable");
  assert.deepEqual(take(), expected);
  assert.equal(await verifyPassword(new Uint8Array(512), BCRYPT_4, options), "wrong");
  assert.deepEqual(take(), expected);
});

test("in a directory with every scheme, a refusal costs the same for each user and for none", async () => {
  const { options, profile, take } = counted();
  for (const { stored } of VECTORS) {
    const { work } = readStored(stored, SCHEMES);
    if (work !== undefined) profile.meet(work);
  }
  await simulateVerification(wrong, options);
  const unknown = take();
  assert.deepEqual(Object.keys(unknown).length, 8, "all kinds of work are among the vectors");
  for (const { stored, made } of VECTORS) {
    await verifyPassword(wrong, stored, options);
    assert.deepEqual(take(), unknown, made);
  }
});

test("a directory of new hashes alone costs an unknown user one new hash", async () => {
  const { options, take } = counted();
  await simulateVerification(wrong, options);
  const { work } = readStored(ARGON2ID, SCHEMES);
  assert.deepEqual(take(), { [work!.kind]: work!.units });
});

test("every scheme that takes noticeable time says how much work it does", () => {
  const free = new Set(
    SCHEMES.filter(
      ({ names: [name] }) => /^(?:S?SHA|SMD5|PLAIN)/.test(name) && !/CRYPT/.test(name),
    ),
  );
  for (const scheme of SCHEMES) {
    const { stored } = VECTORS.find((vector) => vector.scheme === scheme.names[0])!;
    assert.equal(readStored(stored, SCHEMES).work === undefined, free.has(scheme), stored);
  }
});

test("dummy work of every kind and amount can be done", async () => {
  const profile = new WorkProfile();
  for (const { stored } of VECTORS) {
    const { work } = readStored(stored, SCHEMES);
    if (work !== undefined) profile.meet({ ...work, units: Math.min(work.units, 3 * 19_456 + 1) });
  }
  for (const length of [0, 1, 511]) profile.complete(new Uint8Array(length), undefined);
  profile.complete(wrong, { kind: "argon2", units: 3 * 19_456 });
});

test("work is recorded when it is learned, and again once a day while it is met", () => {
  let now = 1_000_000_000;
  const profile = new WorkProfile(
    () => {},
    () => now,
  );
  const argon2 = { kind: "argon2", units: 2 * 19_456 } as const;
  const bcrypt = { kind: "bcrypt", units: 4096 } as const;
  assert.deepEqual(profile.takeUnrecorded(), [argon2]);
  profile.meet(bcrypt);
  profile.meet({ ...bcrypt, units: 16 });
  assert.deepEqual(profile.takeUnrecorded(), [bcrypt]);
  profile.meet(bcrypt);
  assert.deepEqual(profile.takeUnrecorded(), []);
  now += 86_400_000;
  assert.deepEqual(profile.takeUnrecorded(), [bcrypt]);
  profile.read({ ...bcrypt, units: 8192 }, now);
  assert.deepEqual(profile.takeUnrecorded(), []);
});
