// The counts behind the limits: never beyond a limit, and zero when all sessions have ended.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type Claim,
  ConnectionCounts,
  type CountedBy,
  WorkerCounts,
} from "../../../proxy/limits/index.ts";
import { inputs } from "../../support/property.ts";

function connection(by: CountedBy, key: string, most: number, room = 100): Claim {
  return { kind: "connection", by, zone: by, key, isWide: false, most, room };
}

describe("connections", () => {
  test("of all workers count together", () => {
    const connections = new ConnectionCounts();
    const workers = [new WorkerCounts(connections), new WorkerCounts(connections)];
    const claims = [connection("client", "192.0.2.1/32", 2)];
    assert.equal(workers[0]!.claim(1, claims), null);
    assert.equal(workers[1]!.claim(1, claims), null);
    const denial = workers[0]!.claim(2, claims);
    assert.equal(denial?.note, 'limiting connections by zone "client"');
    workers[1]!.release(1);
    assert.equal(workers[0]!.claim(2, claims), null);
  });

  test("are granted all or none", () => {
    const connections = new ConnectionCounts();
    const worker = new WorkerCounts(connections);
    worker.claim(1, [connection("user", "anna", 1)]);
    const both = [connection("client", "192.0.2.1/32", 1), connection("user", "anna", 1)];
    assert.notEqual(worker.claim(2, both), null);
    assert.equal(connections.held, 1);
  });

  test("that are given back by one kind of key leave the others", () => {
    const connections = new ConnectionCounts();
    const worker = new WorkerCounts(connections);
    worker.claim(1, [connection("user", "anna", 1)]);
    worker.claim(1, [connection("server", "192.0.2.9:143", 1)]);
    worker.release(1, "server");
    assert.equal(worker.claim(2, [connection("server", "192.0.2.9:143", 1)]), null);
    assert.notEqual(worker.claim(2, [connection("user", "anna", 1)]), null);
  });

  test("under more keys than a zone has room for are refused, as nginx refuses them", () => {
    const worker = new WorkerCounts(new ConnectionCounts());
    for (const [session, key] of ["a", "b"].entries()) {
      assert.equal(worker.claim(session, [connection("user", key, 5, 2)]), null);
    }
    assert.equal(worker.claim(2, [connection("user", "a", 5, 2)]), null);
    const denial = worker.claim(3, [connection("user", "c", 5, 2)]);
    assert.equal(denial?.note, 'no memory in limit_conn_zone "user"');
    worker.release(1);
    assert.equal(worker.claim(3, [connection("user", "c", 5, 2)]), null);
  });

  test("of a worker that died are free, and its late claims do not count", () => {
    const connections = new ConnectionCounts();
    const worker = new WorkerCounts(connections);
    worker.claim(1, [connection("user", "anna", 1)]);
    worker.close();
    worker.claim(2, [connection("user", "anna", 1)]);
    assert.equal(connections.held, 0);
  });

  test("are never more than the limit under any key, and none are left when all workers have ended", () => {
    const act = fc.record({
      worker: fc.nat(2),
      session: fc.nat(5),
      by: fc.constantFrom<CountedBy>("client", "user", "server"),
      key: fc.constantFrom("a", "b"),
      act: fc.constantFrom("claim", "release", "release one", "die"),
    });
    fc.assert(
      fc.property(
        fc.array(act, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        (acts, most) => {
          const connections = new ConnectionCounts();
          const workers = [0, 1, 2].map(() => new WorkerCounts(connections));
          // The expected claims, as a plain list.
          let model: { worker: number; session: number; by: CountedBy; key: string }[] = [];
          for (const { act: what, ...one } of acts) {
            const { worker, session, by, key } = one;
            const counts = workers[worker]!;
            const mine = (held: (typeof model)[number]) =>
              held.worker === worker && held.session === session;
            if (what === "claim") {
              const open = model.filter((held) => held.by === by && held.key === key).length;
              const denial = counts.claim(session, [connection(by, key, most)]);
              assert.equal(denial === null, open < most);
              if (denial === null) model.push(one);
            } else if (what === "release") {
              counts.release(session);
              model = model.filter((held) => !mine(held));
            } else if (what === "release one") {
              counts.release(session, by);
              model = model.filter((held) => !mine(held) || held.by !== by);
            } else {
              counts.close();
              workers[worker] = new WorkerCounts(connections);
              model = model.filter((held) => held.worker !== worker);
            }
            assert.equal(connections.held, model.length);
          }
          for (const worker of workers) worker.close();
          assert.equal(connections.held, 0);
        },
      ),
      inputs(100),
    );
  });
});

describe("logins", () => {
  let now = 0;
  const newWorker = () => {
    now = 0;
    return new WorkerCounts(new ConnectionCounts(() => now));
  };
  const login = (network: string, rate = 0.5, burst = 2): readonly Claim[] => [
    { kind: "login", networks: [{ network, rate, burst }] },
  ];

  test("may come at once up to burst and one more, then at the rate", () => {
    const limiter = newWorker();
    for (let count = 0; count < 3; count++) assert.equal(limiter.claim(1, login("a")), null);
    assert.match(
      limiter.claim(1, login("a"))?.note ?? "",
      /^limiting logins, excess: 3\.000 by network a$/,
    );
    now += 1000;
    assert.notEqual(limiter.claim(1, login("a")), null);
    now += 1000;
    assert.equal(limiter.claim(1, login("a")), null);
    assert.notEqual(limiter.claim(1, login("a")), null);
  });

  test("that are refused do not count, so that a client that keeps asking gets in at the rate", () => {
    const limiter = newWorker();
    let granted = 0;
    for (; now < 60_000; now += 100) {
      if (limiter.claim(1, login("a")) === null) granted++;
    }
    assert.equal(granted, 3 + 29);
  });

  test("of one network do not count for another", () => {
    const limiter = newWorker();
    for (let count = 0; count < 3; count++) limiter.claim(1, login("a"));
    assert.notEqual(limiter.claim(1, login("a")), null);
    assert.equal(limiter.claim(1, login("b")), null);
  });

  test("never outrun the rate in any stretch of time", () => {
    const gaps = fc.array(fc.nat(3000), { maxLength: 200 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 10 }), (waits, burst) => {
        const limiter = newWorker();
        const granted: number[] = [];
        for (const wait of waits) {
          now += wait;
          if (limiter.claim(1, login("a", 0.5, burst)) === null) granted.push(now);
        }
        for (const [index, from] of granted.entries()) {
          for (const [more, to] of granted.slice(index).entries()) {
            assert.ok(more + 1 <= burst + 1 + ((to - from) / 1000) * 0.5 + 1e-6);
          }
        }
      }),
      inputs(100),
    );
  });
});
