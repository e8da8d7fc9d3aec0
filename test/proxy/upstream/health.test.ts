import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Health } from "../../../proxy/upstream/index.ts";

const settings = { max_fails: 2, fail_timeout: 10_000 };
const [first, second, third] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((host) => ({
  host,
  port: 143,
})) as [Server, Server, Server];
type Server = { host: string; port: number };

let now: number;
let health: Health;
beforeEach(() => {
  now = 1_000_000;
  health = new Health({ now: () => now });
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

test("with max_fails 0 nobody is set aside", () => {
  fails(5);
  const servers = health.order([first, second], { ...settings, max_fails: 0 });
  assert.deepEqual(servers, [first, second]);
});

describe("once its time is over", () => {
  beforeEach(() => {
    fails(2);
    now += 10_001;
  });

  test("it is tried in its place again, by one session first", () => {
    assert.equal(order(), "123");
    health.trying(first);
    assert.equal(order(), "231");
  });

  test("it is everybody's when that session got through", () => {
    health.trying(first);
    health.succeeded(first, settings);
    assert.equal(order(), "123");
  });

  test("it is set aside again when that session failed", () => {
    health.trying(first);
    fails(1);
    assert.equal(order(), "231");
    now += 10_000;
    assert.equal(order(), "231");
    now += 1;
    assert.equal(order(), "123");
  });

  test("it is tried by the next session when that one never came back", () => {
    health.trying(first);
    now += 10_001;
    assert.equal(order(), "123");
  });
});

test("a login that goes well among failures does not make them forgotten", () => {
  fails(1);
  health.succeeded(first, settings);
  fails(1);
  assert.equal(order(), "231");
});

test("a port of its own is a server of its own", () => {
  health.failed({ ...first, port: 993 }, settings);
  health.failed({ ...first, port: 993 }, settings);
  assert.equal(order(), "123");
});
