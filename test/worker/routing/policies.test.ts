import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { POLICIES } from "../../../worker/routing/policies.ts";
import type { PolicyInput, PolicyServer } from "../../../worker/routing/policy.ts";
import { distance } from "../../../worker/routing/coordinates.ts";
import { inputs } from "../../support/property.ts";

const { hash, weighted, nearest, first } = POLICIES;

function server(name: string, changes: Partial<PolicyServer> = {}): PolicyServer {
  return { name, weight: 1, position: 0, latitude: null, longitude: null, ...changes };
}

/** Marsaglia's xorshift, which returns the same numbers in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function input(changes: Partial<PolicyInput> = {}): PolicyInput {
  return { user: "anna@example.test", coordinates: null, random: seeded(42), ...changes };
}

const names = (servers: readonly PolicyServer[]): string[] => servers.map(({ name }) => name);

const USERS = Array.from({ length: 100_000 }, (_, index) => `user${index}@example.test`);
const FOUR = [
  server("a", { weight: 1 }),
  server("b", { weight: 2 }),
  server("c", { weight: 3 }),
  server("d", { weight: 4 }),
];

/** Pearson's chi-squared statistic of the counts against the weights. */
function chiSquare(counts: ReadonlyMap<string, number>, servers: readonly PolicyServer[]): number {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const weight = servers.reduce((sum, one) => sum + one.weight, 0);
  return servers.reduce((sum, one) => {
    const expected = (total * one.weight) / weight;
    return sum + ((counts.get(one.name) ?? 0) - expected) ** 2 / expected;
  }, 0);
}
/** The critical value for p = 0.001 and three degrees of freedom. */
const UNLIKELY = 16.27;

function firsts(choose: (user: string) => readonly PolicyServer[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const user of USERS) {
    const [chosen] = names(choose(user));
    counts.set(chosen!, (counts.get(chosen!) ?? 0) + 1);
  }
  return counts;
}

describe("the guide's promise of load distribution", () => {
  test("`weighted` gives each server its weight's share of 100,000 users", () => {
    const here = input();
    assert.ok(
      chiSquare(
        firsts(() => weighted(FOUR, here)),
        FOUR,
      ) < UNLIKELY,
    );
  });

  test("`hash` gives each server its weight's share of 100,000 users", () => {
    const counts = firsts((user) => hash(FOUR, input({ user })));
    assert.ok(chiSquare(counts, FOUR) < UNLIKELY);
  });

  test("when a server is down, each other server gets its weight's share of the server's users", () => {
    const counts = new Map<string, number>();
    for (const user of USERS) {
      const [best, next] = names(hash(FOUR, input({ user })));
      if (best === "d") counts.set(next!, (counts.get(next!) ?? 0) + 1);
    }
    assert.ok(chiSquare(counts, FOUR.slice(0, 3)) < UNLIKELY);
  });
});

describe("the guide's promise of easy scaling", () => {
  test("with `hash` a server that joins N takes 1/(N+1) of the users and moves no others", () => {
    const before = ["a", "b", "c", "d"].map((name) => server(name));
    const after = [...before, server("e")];
    let moved = 0;
    for (const user of USERS) {
      const [old] = names(hash(before, input({ user })));
      const [now] = names(hash(after, input({ user })));
      if (old === now) continue;
      assert.equal(now, "e");
      moved++;
    }
    assert.ok(Math.abs(moved / USERS.length - 1 / 5) < 0.005, `${moved} moved`);
  });

  test("with `hash` the order of the servers does not matter", () => {
    const shuffled = [FOUR[2]!, FOUR[0]!, FOUR[3]!, FOUR[1]!];
    for (const user of USERS.slice(0, 100)) {
      assert.deepEqual(names(hash(FOUR, input({ user }))), names(hash(shuffled, input({ user }))));
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

  test("distances are right, across the date line and the poles too", () => {
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
    assert.deepEqual(names(nearest(servers, input({ coordinates: berlin }))), [
      "berlin",
      "paris",
      "sydney",
    ]);
    assert.deepEqual(names(nearest(servers, input({ coordinates: auckland })))[0], "sydney");
  });

  test("servers with unknown coordinates come last", () => {
    const servers = [server("somewhere"), server("sydney", sydney)];
    assert.deepEqual(names(nearest(servers, input({ coordinates: berlin }))), [
      "sydney",
      "somewhere",
    ]);
  });

  test("servers in one place share its users by weight", () => {
    const servers = FOUR.map((one) => ({ ...one, ...paris }));
    const here = input({ coordinates: berlin });
    assert.ok(
      chiSquare(
        firsts(() => nearest(servers, here)),
        servers,
      ) < UNLIKELY,
    );
  });

  test("if the proxy's coordinates are unknown, weight decides", () => {
    const servers = FOUR.map((one) => ({ ...one, ...paris }));
    const here = input();
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
  assert.deepEqual(names(first(servers, input())), ["main", "spare", "tape"]);
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

test("each policy ranks each server exactly once, for any servers and user", () => {
  fc.assert(
    fc.property(
      anyServers,
      fc.string(),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (all, user, random) => {
        for (const policy of Object.values(POLICIES)) {
          const ranked = policy(all, {
            user,
            coordinates: { latitude: 0, longitude: 0 },
            random: () => random,
          });
          assert.deepEqual(names(ranked).toSorted(), names(all).toSorted());
        }
      },
    ),
    inputs(100),
  );
});
