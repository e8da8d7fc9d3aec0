// Clients count in each of their networks, so that nobody who owns a wide one has as many limits as addresses.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ConnectionCounts, type Denial, WorkerCounts } from "../../../proxy/limits/index.ts";
import { SessionLimits, serverLimits } from "../../../proxy/session/session-limits.ts";
import { contains, parseIp, parseNetwork } from "../../../shared/address.ts";
import { server } from "../../support/proxy/configuration.ts";
import { inputs } from "../../support/property.ts";

const ZONE = "limit_conn_zone $binary_remote_addr zone=a:1m";

interface Site {
  /** Makes a session of a client. */
  readonly session: (number: number) => SessionLimits;
  readonly clock: { now: number };
  readonly counts: ConnectionCounts;
}

/** @param inServer directives of a server with limits */
function site(inServer: string, inMail = ""): Site {
  const limits = serverLimits(server(inServer, inMail));
  assert.ok(limits !== null);
  const clock = { now: 0 };
  const counts = new ConnectionCounts(() => clock.now);
  const worker = new WorkerCounts(counts);
  return { session: (number) => new SessionLimits(limits, worker, number), clock, counts };
}

function denied(verdict: ReturnType<SessionLimits["onConnect"]>): Denial | null {
  assert.ok(!(verdict instanceof Promise));
  return verdict;
}

/** The addresses of as many /64s of one /48, in as few /56s as possible. */
function within48(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `2001:db8:1:${index.toString(16)}::1`);
}

describe("by default", () => {
  test("a /48 of IPv6 has 16 times the connections of an address, however many of its networks connect", () => {
    const { session } = site("limit_conn a 2;", `${ZONE};`);
    let granted = 0;
    let number = 0;
    const notes = new Set<string>();
    // Two clients of each /64, from all over the /48.
    for (let subnet = 0; subnet < 0x10000; subnet += 0x101) {
      for (const host of [1, 2]) {
        const client = `2001:db8:1:${subnet.toString(16)}::${host}`;
        const denial = denied(session(number++).onConnect(client));
        if (denial === null) granted++;
        else notes.add(denial.note);
      }
    }
    assert.equal(granted, 32);
    assert.deepEqual([...notes], ['limiting connections by zone "a" of network 2001:db8:1::/48']);
    assert.equal(denied(session(number).onConnect("2001:db8:2::1")), null);
  });

  test("a /56 of IPv6 has 4 times the connections of an address", () => {
    const { session } = site("limit_conn a 2;", `${ZONE};`);
    const verdicts = within48(256).map((client, index) => denied(session(index).onConnect(client)));
    assert.equal(verdicts.filter((verdict) => verdict === null).length, 8);
    assert.equal(
      verdicts.at(-1)?.note,
      'limiting connections by zone "a" of network 2001:db8:1::/56',
    );
  });

  test("60 guesses from 60 networks of a /48 are 16 bursts at most, and a guess from another /48 is free", () => {
    const { session } = site("limit_login_rate 2r/m burst=1;");
    const clients = Array.from({ length: 60 }, (_, index) => `2001:db8:1:${index}00::1`);
    const verdicts = clients.map((client, index) => denied(session(index).onLogin(client)));
    assert.equal(verdicts.filter((verdict) => verdict === null).length, 17);
    assert.match(
      verdicts.at(-1)?.note ?? "",
      /^limiting logins, excess: \d+\.000 by network 2001:db8:1::\/48$/,
    );
    assert.equal(denied(session(99).onLogin("2001:db8:2::1")), null);
  });

  test("a /48 that has used its burst gets logins at 16 times the rate", () => {
    const { session, clock } = site("limit_login_rate 1r/s burst=1;");
    const granted = (): number => {
      const clients = Array.from({ length: 60 }, (_, index) => `2001:db8:1:${index}00::1`);
      return clients.filter((client) => denied(session(1).onLogin(client)) === null).length;
    };
    assert.equal(granted(), 17);
    clock.now += 500;
    assert.equal(granted(), 8);
    clock.now += 1000;
    assert.equal(granted(), 16);
  });

  test("an IPv4 address has its own connections, as in nginx, and a /24 has 16 times the logins", () => {
    const { session } = site("limit_conn a 1; limit_login_rate 2r/m burst=1;", `${ZONE};`);
    const clients = Array.from({ length: 60 }, (_, index) => `192.0.2.${index}`);
    for (const [index, client] of clients.entries()) {
      assert.equal(denied(session(index).onConnect(client)), null);
      assert.notEqual(denied(session(100 + index).onConnect(client)), null);
    }
    const logins = clients.filter((client) => denied(session(1).onLogin(client)) === null);
    assert.equal(logins.length, 17);
  });

  test("an IPv4 client of an IPv6 socket counts as IPv4", () => {
    const { session } = site("limit_conn a 1;", `${ZONE};`);
    assert.equal(denied(session(1).onConnect("192.0.2.1")), null);
    assert.notEqual(denied(session(2).onConnect("::ffff:192.0.2.1")), null);
    assert.equal(denied(session(3).onConnect("::ffff:192.0.2.2")), null);
  });
});

/** Clients whose addresses differ in the bits on which prefixes end, and in few others. */
const client = fc.oneof(
  fc
    .tuple(fc.nat(1), fc.nat(2), fc.nat(2), fc.nat(1))
    .map(([a, b, c, d]) => `2001:db8:${a}:${b}0${c}::${d}`),
  fc.tuple(fc.nat(2), fc.nat(2)).map(([a, b]) => `192.0.${a}.${b}`),
);

const prefixes = fc
  .record({
    ipv4: fc.subarray([32, 31, 24, 16, 8], { minLength: 1 }),
    ipv6: fc.subarray([128, 64, 60, 56, 48, 32], { minLength: 1 }),
    factor: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ ipv4, ipv6, factor }) => {
    const list = (lengths: readonly number[]): { length: number; factor: number }[] =>
      lengths.map((length, index) => ({ length, factor: factor ** index }));
    return { ipv4: list(ipv4), ipv6: list(ipv6) };
  });

function parameters(given: { ipv4: Prefix[]; ipv6: Prefix[] }): string {
  const list = (all: Prefix[]): string =>
    all.map(({ length, factor }) => `${length}*${factor}`).join(",");
  return `ipv4_prefix=${list(given.ipv4)} ipv6_prefix=${list(given.ipv6)}`;
}

type Prefix = { length: number; factor: number };

/** Counts the clients in the network of that length around one of them. */
function around(one: string, length: number, clients: readonly string[]): number {
  const network = parseNetwork(`${one}/${length}`);
  assert.ok(network !== null);
  return clients.filter((other) => contains(network, parseIp(other)!)).length;
}

test("for any prefixes, a client gets in exactly where each of its networks has room, and leaves all of them", () => {
  let refused = 0;
  fc.assert(
    fc.property(
      prefixes,
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.tuple(client, fc.boolean()), { maxLength: 40, size: "max" }),
      (given, most, acts) => {
        const { session, counts } = site(`limit_conn a ${most};`, `${ZONE} ${parameters(given)};`);
        const held = new Map<SessionLimits, string>();
        for (const [index, [address, leaves]] of acts.entries()) {
          const family = address.includes(":") ? given.ipv6 : given.ipv4;
          const clients = [...held.values()];
          const hasRoom = family.every(
            ({ length, factor }) => around(address, length, clients) < most * factor,
          );
          const one = session(index);
          const denial = denied(one.onConnect(address));
          assert.equal(denial === null, hasRoom);
          if (denial === null) held.set(one, address);
          else refused++;
          const [first] = held.keys();
          if (leaves && first !== undefined) {
            first.release();
            held.delete(first);
          }
        }
        for (const one of held.keys()) one.release();
        assert.equal(counts.held, 0);
      },
    ),
    inputs(100),
  );
  assert.ok(refused > 50, `${refused}`);
});

test("for any prefixes, no network ever gets more logins than its rate and burst, and a refused login costs nothing", () => {
  let refused = 0;
  fc.assert(
    fc.property(
      prefixes,
      fc.array(fc.tuple(client, fc.nat(400)), { maxLength: 40, size: "max" }),
      (given, acts) => {
        const { session, clock } = site(`limit_login_rate 1r/s burst=2 ${parameters(given)};`);
        const granted: { client: string; at: number }[] = [];
        for (const [address, wait] of acts) {
          clock.now += wait;
          const family = address.includes(":") ? given.ipv6 : given.ipv4;
          const before = granted.map((one) => one.client);
          const isFirst = family.every(({ length }) => around(address, length, before) < 3);
          const denial = denied(session(1).onLogin(address));
          // A burst is always there, so at most two logins before it cannot be the reason of a refusal.
          if (isFirst) assert.equal(denial, null);
          if (denial === null) granted.push({ client: address, at: clock.now });
          else refused++;
          for (const { length, factor } of family) {
            for (const from of granted) {
              const since = granted.filter((one) => one.at >= from.at).map((one) => one.client);
              const most = 2 * factor + 1 + ((clock.now - from.at) / 1000) * factor;
              assert.ok(around(address, length, since) <= most + 1e-6);
            }
          }
        }
      },
    ),
    inputs(100),
  );
  assert.ok(refused > 50, `${refused}`);
});
