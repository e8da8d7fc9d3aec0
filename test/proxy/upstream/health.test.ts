import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Health, type HealthListener } from "../../../proxy/upstream/index.ts";

const settings = { max_fails: 2, fail_timeout: 10_000 };
const [first, second, third] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((host) => ({
  host,
  port: 143,
})) as [Server, Server, Server];
type Server = { host: string; port: number };

let now: number;
let health: Health;
/** The listener's events, in order. */
let heard: string[];
const listener: HealthListener = {
  failing: ({ host }, why) => void heard.push(`${host} fails: ${why}`),
  serving: ({ host }) => void heard.push(`${host} serves`),
};
beforeEach(() => {
  now = 1_000_000;
  heard = [];
  health = new Health(listener, { now: () => now });
});

function order(): string {
  const servers = health.order([first, second, third], settings);
  return servers.map(({ host }) => host.at(-1)).join("");
}

function fails(times: number): void {
  for (let time = 0; time < times; time++) health.failed(first, settings);
}

test("servers are tried in their order", () => {
  assert.equal(order(), "123");
});

test("a server is set aside once it has failed max_fails times, and tried last", () => {
  fails(1);
  assert.equal(order(), "123");
  fails(1);
  assert.equal(order(), "231");
});

test("failures further apart than fail_timeout do not add up", () => {
  fails(1);
  now += 10_001;
  fails(1);
  assert.equal(order(), "123");
});

test("with max_fails 0 no server is set aside", () => {
  fails(5);
  const servers = health.order([first, second], { ...settings, max_fails: 0 });
  assert.deepEqual(servers, [first, second]);
});

describe("after fail_timeout, a server that was set aside", () => {
  beforeEach(() => {
    fails(2);
    now += 10_001;
  });

  test("is tried in its place again, by one session first", () => {
    assert.equal(order(), "123");
    health.trying(first);
    assert.equal(order(), "231");
  });

  test("is tried by every session once the first session has succeeded", () => {
    health.trying(first);
    health.succeeded(first, settings);
    assert.equal(order(), "123");
  });

  test("is set aside again when the first session fails", () => {
    health.trying(first);
    fails(1);
    assert.equal(order(), "231");
    now += 10_000;
    assert.equal(order(), "231");
    now += 1;
    assert.equal(order(), "123");
  });

  test("is tried by another session when the first session never reports a result", () => {
    health.trying(first);
    now += 10_001;
    assert.equal(order(), "123");
  });
});

test("a successful login between two failures does not clear the first failure", () => {
  fails(1);
  health.succeeded(first, settings);
  fails(1);
  assert.equal(order(), "231");
});

test("failures on one port do not count for another port of the same host", () => {
  health.failed({ ...first, port: 993 }, settings);
  health.failed({ ...first, port: 993 }, settings);
  assert.equal(order(), "123");
});

describe("a health listener", () => {
  const server = { host: "mail.example.test", port: 143 };
  const upstream = { server, addresses: [first, second] };

  test("is told of a server that has failed max_fails times, by the host name of the lookup's reply", () => {
    const alone = { server, addresses: [first] };
    health.failed(first, settings, alone, "refused");
    assert.deepEqual(heard, []);
    health.failed(first, settings, alone, "timed out");
    assert.deepEqual(heard, ["mail.example.test fails: timed out"]);
  });

  test("is told of a server only when all its addresses have failed", () => {
    for (let time = 0; time < 5; time++) health.failed(first, settings, upstream, "refused");
    health.failed(second, settings, upstream, "refused");
    assert.deepEqual(heard, []);
    health.failed(second, settings, upstream, "refused");
    assert.deepEqual(heard, ["mail.example.test fails: refused"]);
  });

  test("is told of each further failure, also while the server is set aside and long after", () => {
    const alone = { server, addresses: [first] };
    for (const wait of [0, 1, 1, 60_000]) {
      now += wait;
      health.failed(first, settings, alone, "refused");
    }
    assert.equal(heard.length, 3);
  });

  test("is told nothing where max_fails is 0, or where a failure has no reason", () => {
    const alone = { server, addresses: [first] };
    for (let time = 0; time < 5; time++) {
      health.failed(first, { ...settings, max_fails: 0 }, alone, "refused");
      health.failed(first, settings, alone, null);
    }
    assert.deepEqual(heard, []);
  });

  test("is told of a server that serves a login", () => {
    health.succeeded(second, settings, server);
    assert.deepEqual(heard, ["mail.example.test serves"]);
  });
});
