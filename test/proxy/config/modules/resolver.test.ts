import assert from "node:assert/strict";
import { test } from "node:test";
import { server } from "../../../support/proxy/configuration.ts";

const SERVERS: Record<string, [host: string, port: number]> = {
  "192.0.2.53": ["192.0.2.53", 53],
  "192.0.2.53:5353": ["192.0.2.53", 5353],
  "ns.example": ["ns.example", 53],
  "[2001:db8::53]": ["2001:db8::53", 53],
  "[2001:db8::53]:5353": ["2001:db8::53", 5353],
};
for (const [text, [host, port]] of Object.entries(SERVERS)) {
  test(`the name server ${text} is ${host}, port ${port}`, () => {
    const { resolver } = server(`resolver ${text};`);
    assert.deepEqual(resolver, { servers: [{ host, port }], valid: 0, ipv4: true, ipv6: true });
  });
}

test("parameters may have any position among the servers", () => {
  const { resolver } = server("resolver ipv6=off a valid=1m30 b ipv4=on;");
  const servers = ["a", "b"].map((host) => ({ host, port: 53 }));
  assert.deepEqual(resolver, { servers, valid: 90, ipv4: true, ipv6: false });
});

test("the resolver is inherited, and off by default", () => {
  assert.equal(server("").resolver, null);
  assert.equal(server("", "resolver a;").resolver?.servers[0]?.host, "a");
  assert.equal(server("resolver b;", "resolver a;").resolver?.servers[0]?.host, "b");
  assert.equal(server("resolver off;", "resolver a;").resolver, null);
  assert.equal(server("").resolver_timeout, 30_000);
  assert.equal(server("resolver_timeout 1s;", "resolver_timeout 2s;").resolver_timeout, 1000);
});
