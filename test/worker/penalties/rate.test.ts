/** The rate of guesses that is computed from the settings is the one that the counters permit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countAttempt } from "../../../worker/penalties/attempts.ts";
import { type PenaltyLimits, penaltyLimits } from "../../../worker/penalties/limits.ts";
import { type Attack, answeredPerWindow } from "../../../worker/penalties/rate.ts";
import { PenaltyStore } from "../../../worker/penalties/store.ts";
import { MemoryCounters } from "../../support/worker/counters.ts";
import { SEED } from "../../support/property.ts";

// A mock would keep a stack trace of each warning.
console.warn = () => {};

const DEFAULTS = penaltyLimits({} as Parameters<typeof penaltyLimits>[0]);

/** Counters with a clock of their own, asked by isolates that remember nothing. */
class World {
  now = 1_000_000_000;
  readonly limits: PenaltyLimits;
  readonly #counters = new MemoryCounters(() => this.now);

  constructor(limits: PenaltyLimits) {
    this.limits = limits;
  }

  /** True if the guess is answered. */
  async guess(networks: readonly string[], user: string, login: string): Promise<boolean> {
    const pending: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>) => void pending.push(work);
    const options = { cache: new Map<string, true>(), timeout: 60_000 };
    const store = new PenaltyStore(this.#counters, this.limits, waitUntil, options);
    const source = { account: { user, login }, networks, known: false };
    const { blocked } = await countAttempt(store, source, "failed");
    // An attempt takes back its counts before the next one begins.
    await Promise.all(pending);
    return !blocked;
  }
}

/** The networks of the attacker's address with this number. */
function networksOf(from: Attack["from"], n: number): readonly string[] {
  switch (from) {
    case "ipv4/24":
      return [`192.0.2.${n % 256}/32`, "192.0.2.0/24"];
    case "ipv6/48": {
      // First one /64 in each /56, then the next one.
      const [wide, narrow] = [n % 256, Math.floor(n / 256) % 256];
      return [`2001:db8:0:${wide}:${narrow}/64`, `2001:db8:0:${wide}/56`, "2001:db8::/48"];
    }
    case "spread":
      return [`10.${n}.1/32`, `10.${n}.0/24`];
  }
}

/** Refusals in a row after which the attacker waits for the next window. */
const GIVES_UP = 600;

/** Guesses from each address in turn, at a new account or name each time, until nothing is answered. */
async function attack(world: World, { addresses, from, accounts, names }: Attack) {
  let [answered, refused] = [0, 0];
  for (let n = 0; refused < Math.min(GIVES_UP, 2 * addresses * names); n++) {
    const user = `user-${n % accounts}`;
    const login = `${user}-${Math.floor(n / accounts) % names}`;
    const told = await world.guess(networksOf(from, n % addresses), user, login);
    answered += Number(told);
    refused = told ? 0 : refused + 1;
  }
  return answered;
}

/** More accounts than an attack meets, so that the networks alone limit it. */
const MANY = 1_000_003;

for (const [addresses, from, accounts, expected] of [
  [1, "ipv4/24", MANY, 30],
  [1, "ipv6/48", MANY, 30],
  [1, "spread", MANY, 30],
  [1, "spread", 1, 10],
  [1000, "ipv4/24", MANY, 120],
  [1000, "ipv6/48", MANY, 120],
  [1000, "spread", MANY, 30_000],
  [1000, "spread", 1, 10],
  [100_000, "ipv4/24", MANY, 120],
  [100_000, "ipv6/48", MANY, 120],
  [100_000, "spread", 1, 10],
] as const) {
  const target = accounts === 1 ? "one account" : "many accounts";
  test(`${addresses} addresses (${from}) get ${expected} answers from ${target} in each window`, async () => {
    const given = { addresses, from, accounts, names: 1 };
    assert.equal(answeredPerWindow(given, DEFAULTS), expected);
    const world = new World(DEFAULTS);
    for (let window = 0; window < (expected > 1000 ? 1 : 3); window++) {
      assert.equal(await attack(world, given), expected);
      world.now += DEFAULTS.window;
    }
  });
}

test("10,000 addresses in as many networks get what is computed for them, as for 100,000", async () => {
  const limits = { ...DEFAULTS, networks: { ...DEFAULTS.networks, 32: 1, 64: 1 } };
  const given = { addresses: 100_000, from: "spread", accounts: MANY, names: 1 } as const;
  assert.equal(answeredPerWindow(given, DEFAULTS), 3_000_000);
  assert.equal(answeredPerWindow(given, limits), 100_000);
  assert.equal(answeredPerWindow({ ...given, addresses: 10_000 }, limits), 10_000);
  const world = new World(limits);
  let answered = 0;
  // A thousand at the same moment, which no two networks notice of each other.
  for (let first = 0; first < 10_000; first += 1000) {
    const guesses = Array.from({ length: 1000 }, (_, n) => {
      return world.guess(networksOf("spread", first + n), `user-${first + n}`, "name");
    });
    answered += (await Promise.all(guesses)).filter((told) => told).length;
  }
  assert.equal(answered, 10_000);
  for (const n of [0, 1, 9999]) {
    assert.equal(await world.guess(networksOf("spread", n), `new-${n}`, "name"), false);
  }
});

test("the names of a user get 30 answers in all, however many there are", async () => {
  for (const [names, expected] of [
    [1, 10],
    [2, 20],
    [3, 30],
    [20, 30],
  ] as const) {
    const given = { addresses: 1000, from: "spread", accounts: 1, names } as const;
    assert.equal(answeredPerWindow(given, DEFAULTS), expected);
    assert.equal(await attack(new World(DEFAULTS), given), expected);
  }
});

test("for any settings, an attack in turn gets what is computed, in each window", async () => {
  const small = fc.integer({ min: 1, max: 4 });
  const limitsOf = fc.record({
    account: small,
    more: small,
    narrow: small,
    middle: small,
    wide: small,
  });
  const attacks = fc.record({
    addresses: fc.integer({ min: 1, max: 6 }),
    from: fc.constantFrom<Attack["from"][]>("ipv4/24", "ipv6/48", "spread"),
    accounts: fc.constantFrom(1, MANY),
    names: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(limitsOf, attacks, async ({ account, more, narrow, middle, wide }, given) => {
      const of48 = narrow + middle + wide;
      const networks = { 32: narrow, 24: of48, 64: narrow, 56: narrow + middle, 48: of48 };
      const limits = { ...DEFAULTS, account, user: account + more, networks };
      const world = new World(limits);
      for (let window = 0; window < 2; window++) {
        assert.equal(await attack(world, given), answeredPerWindow(given, limits));
        world.now += limits.window;
      }
    }),
    { numRuns: 100, seed: SEED },
  );
});

test("whenever the guesses are made, no window's length holds more than twice the computed answers", async () => {
  const given = { addresses: 1, from: "ipv6/48", accounts: 1, names: 2 } as const;
  const limits = {
    ...DEFAULTS,
    account: 3,
    user: 5,
    networks: { 32: 4, 24: 9, 64: 4, 56: 6, 48: 9 },
  };
  const most = 2 * answeredPerWindow(given, limits);
  let highest = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: limits.window / 4 }), fc.nat(1)), {
        minLength: 20,
        maxLength: 60,
      }),
      async (steps) => {
        const world = new World(limits);
        const times: number[] = [];
        for (const [step, name] of steps) {
          world.now += step;
          const told = await world.guess(networksOf(given.from, 0), "anna", `name-${name}`);
          if (told) times.push(world.now);
        }
        for (const from of times) {
          const answered = times.filter((time) => time >= from && time < from + limits.window);
          assert.ok(answered.length < most, `${answered.length} of ${most}`);
          highest = Math.max(highest, answered.length);
        }
      },
    ),
    { numRuns: 100, seed: SEED },
  );
  assert.ok(highest >= answeredPerWindow(given, limits), `${highest}`);
});
