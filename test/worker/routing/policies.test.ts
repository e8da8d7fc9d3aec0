import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Candidate, POLICIES, type Situation } from "../../../worker/routing/index.ts";
import { distance } from "../../../worker/routing/location.ts";

const { hash, weighted, nearest, first } = POLICIES;

function server(name: string, changes: Partial<Candidate> = {}): Candidate {
  return { name, weight: 1, position: 0, latitude: null, longitude: null, ...changes };
}

/** Marsaglia's xorshift: the same numbers each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function situation(changes: Partial<Situation> = {}): Situation {
  return { user: "anna@example.test", place: null, random: seeded(42), ...changes };
}

const names = (servers: readonly Candidate[]): string[] => servers.map(({ name }) => name);

const USERS = Array.from({ length: 100_000 }, (_, index) => `user${index}@example.test`);
const FOUR = [
  server("a", { weight: 1 }),
  server("b", { weight: 2 }),
  server("c", { weight: 3 }),
  server("d", { weight: 4 }),
];

/** How far counts are from the shares that weights promise. */
function chiSquare(counts: ReadonlyMap<string, number>, servers: readonly Candidate[]): number {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const weight = servers.reduce((sum, one) => sum + one.weight, 0);
  return servers.reduce((sum, one) => {
    const expected = (total * one.weight) / weight;
    return sum + ((counts.get(one.name) ?? 0) - expected) ** 2 / expected;
  }, 0);
}
/** What chance exceeds once in a thousand times, with three degrees of freedom. */
const UNLIKELY = 16.27;

function firsts(choose: (user: string) => readonly Candidate[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const user of USERS) {
    const [chosen] = names(choose(user));
    counts.set(chosen!, (counts.get(chosen!) ?? 0) + 1);
  }
  return counts;
}

describe("the guide's promise of load distribution", () => {
  test("`weighted` gives each server its weight's share of 100,000 users", () => {
    const here = situation();
    assert.ok(
      chiSquare(
        firsts(() => weighted(FOUR, here)),
        FOUR,
      ) < UNLIKELY,
    );
  });

  test("`hash` gives each server its weight's share of 100,000 users", () => {
    const counts = firsts((user) => hash(FOUR, situation({ user })));
    assert.ok(chiSquare(counts, FOUR) < UNLIKELY);
  });

  test("of the users whose server is away, each other server gets its weight's share", () => {
    const counts = new Map<string, number>();
    for (const user of USERS) {
      const [best, next] = names(hash(FOUR, situation({ user })));
      if (best === "d") counts.set(next!, (counts.get(next!) ?? 0) + 1);
    }
    assert.ok(chiSquare(counts, FOUR.slice(0, 3)) < UNLIKELY);
  });
});

describe("the guide's promise of easy scaling", () => {
  test("with `hash` a server that joins N takes 1/(N+1) of the users, and moves nobody else", () => {
    const before = ["a", "b", "c", "d"].map((name) => server(name));
    const after = [...before, server("e")];
    let moved = 0;
    for (const user of USERS) {
      const [old] = names(hash(before, situation({ user })));
      const [now] = names(hash(after, situation({ user })));
      if (old === now) continue;
      assert.equal(now, "e");
      moved++;
    }
    assert.ok(Math.abs(moved / USERS.length - 1 / 5) < 0.005, `${moved} moved`);
  });

  test("with `hash` the order of the servers in the table does not matter", () => {
    const shuffled = [FOUR[2]!, FOUR[0]!, FOUR[3]!, FOUR[1]!];
    for (const user of USERS.slice(0, 100)) {
      assert.deepEqual(
        names(hash(FOUR, situation({ user }))),
        names(hash(shuffled, situation({ user }))),
      );
    }
  });
});

describe("the guide's promise of a server near the client", () => {
  const berlin = { latitude: 52.52, longitude: 13.4 };
  const paris = { latitude: 48.86, longitude: 2.35 };
  const sydney = { latitude: -33.87, longitude: 151.21 };
  const auckland = { latitude: -36.85, longitude: 174.76 };
  const fiji = { latitude: -17.71, longitude: 178.07 };
  const samoa = { latitude: -13.76, longitude: -172.1 };

  test("distances are those of an atlas, across the date line and the poles too", () => {
    assert.ok(Math.abs(distance(berlin, paris) - 878) < 5);
    assert.ok(Math.abs(distance(berlin, sydney) - 16_090) < 80);
    assert.ok(distance(fiji, samoa) < 1200);
    assert.equal(distance(paris, paris), 0);
    const pole = { latitude: 90, longitude: 0 };
    assert.ok(distance(pole, { latitude: 90, longitude: 170 }) < 1);
    assert.ok(Math.abs(distance(pole, { latitude: -90, longitude: 45 }) - 20_015) < 1);
    const north = { latitude: 80, longitude: 10 };
    assert.ok(Math.abs(distance(north, { latitude: 80, longitude: -170 }) - 2224) < 2);
  });

  test("`nearest` ranks servers by their distance from the calling proxy", () => {
    const servers = [server("sydney", sydney), server("paris", paris), server("berlin", berlin)];
    assert.deepEqual(names(nearest(servers, situation({ place: berlin }))), [
      "berlin",
      "paris",
      "sydney",
    ]);
    assert.deepEqual(names(nearest(servers, situation({ place: auckland })))[0], "sydney");
  });

  test("servers whose place is unknown come last", () => {
    const servers = [server("somewhere"), server("sydney", sydney)];
    assert.deepEqual(names(nearest(servers, situation({ place: berlin }))), [
      "sydney",
      "somewhere",
    ]);
  });

  test("servers of one place share its users by weight", () => {
    const servers = FOUR.map((one) => ({ ...one, ...paris }));
    const here = situation({ place: berlin });
    assert.ok(
      chiSquare(
        firsts(() => nearest(servers, here)),
        servers,
      ) < UNLIKELY,
    );
  });

  test("where nobody knows the proxy's place, weight decides", () => {
    const servers = FOUR.map((one) => ({ ...one, ...paris }));
    const here = situation();
    assert.ok(
      chiSquare(
        firsts(() => nearest(servers, here)),
        servers,
      ) < UNLIKELY,
    );
  });
});

test("`first` keeps the operator's order", () => {
  const servers = [
    server("spare", { position: 2 }),
    server("main", { position: 1 }),
    server("tape", { position: 9 }),
  ];
  assert.deepEqual(names(first(servers, situation())), ["main", "spare", "tape"]);
});

const anyServers = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 12 })
  .chain((all) =>
    fc.tuple(
      ...all.map((name) =>
        fc.record({
          name: fc.constant(name),
          weight: fc.integer({ min: 1, max: 1_000_000 }),
          position: fc.integer(),
          latitude: fc.option(fc.double({ min: -90, max: 90, noNaN: true })),
          longitude: fc.option(fc.double({ min: -180, max: 180, noNaN: true })),
        }),
      ),
    ),
  );

test("every policy ranks each server exactly once, whatever the servers and the user", () => {
  fc.assert(
    fc.property(
      anyServers,
      fc.string(),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (all, user, random) => {
        for (const policy of Object.values(POLICIES)) {
          const ranked = policy(all, {
            user,
            place: { latitude: 0, longitude: 0 },
            random: () => random,
          });
          assert.deepEqual(names(ranked).toSorted(), names(all).toSorted());
        }
      },
    ),
  );
});
