import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { DnsOverHttps } from "../../../worker/routing/dns-over-https.ts";

/** A resolver with the JSON form of DNS over HTTPS, without TLS. */
let server: Server;
let endpoint: string;
let asked: string[];
let zone: Record<string, unknown>;
let now: number;

before(async () => {
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, endpoint);
    const question = `${searchParams.get("name")} ${searchParams.get("type")}`;
    asked.push(question);
    assert.equal(request.headers.accept, "application/dns-json");
    const answer = zone[question] ?? { Status: 3 };
    if (typeof answer === "number") response.statusCode = answer;
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dns-query`;
});
after(() => void server.close());
beforeEach(() => {
  asked = [];
  zone = {};
  now = 1_000_000;
});

const names = (): DnsOverHttps => new DnsOverHttps(endpoint, () => now);
const a = (data: string, ttl: number, ...others: object[]): object => ({
  Status: 0,
  Answer: [...others, { name: "x", type: 1, TTL: ttl, data }],
});

test("a name is resolved once during the TTL of its record", async () => {
  zone["m1.test A"] = a("192.0.2.1", 60);
  const hosts = names();
  assert.equal(await hosts.resolve("m1.test"), "192.0.2.1");
  now += 59_000;
  assert.equal(await hosts.resolve("m1.test"), "192.0.2.1");
  assert.deepEqual(asked, ["m1.test A"]);
  zone["m1.test A"] = a("192.0.2.2", 60);
  now += 2000;
  assert.equal(await hosts.resolve("m1.test"), "192.0.2.2");
});

test("a CNAME is followed to the address record", async () => {
  const cname = { name: "m1.test", type: 5, TTL: 10, data: "other.test." };
  zone["m1.test A"] = a("192.0.2.1", 60, cname);
  assert.equal(await names().resolve("m1.test"), "192.0.2.1");
});

test("a host with only IPv6 resolves to IPv6", async () => {
  zone["six.test A"] = { Status: 0 };
  zone["six.test AAAA"] = { Status: 0, Answer: [{ type: 28, TTL: 60, data: "2001:db8::1" }] };
  assert.equal(await names().resolve("six.test"), "2001:db8::1");
});

test("while the resolver fails, the last known address is returned", async () => {
  zone["m1.test A"] = a("192.0.2.1", 60);
  const hosts = names();
  await hosts.resolve("m1.test");
  for (const failure of [500, "no JSON", { Status: 2 }, [], "null", a("elsewhere", 60)]) {
    zone["m1.test A"] = failure;
    now += 61_000;
    assert.equal(await hosts.resolve("m1.test"), "192.0.2.1");
  }
});

test("a failing resolver is not asked again immediately", async () => {
  zone["m1.test A"] = a("192.0.2.1", 60);
  const hosts = names();
  await hosts.resolve("m1.test");
  zone["m1.test A"] = 500;
  now += 61_000;
  await hosts.resolve("m1.test");
  await hosts.resolve("m1.test");
  assert.equal(asked.length, 2);
});

test("a deleted name does not resolve, although its address was known", async () => {
  zone["m1.test A"] = a("192.0.2.1", 60);
  const hosts = names();
  await hosts.resolve("m1.test");
  delete zone["m1.test A"];
  now += 61_000;
  await assert.rejects(hosts.resolve("m1.test"), /m1\.test has no address/);
});

test("a resolver that fails at the first request is an error", async () => {
  zone["m1.test A"] = 500;
  await assert.rejects(names().resolve("m1.test"), /answered 500/);
});

test("a TTL of 0 or of many years is bounded", async () => {
  zone["m1.test A"] = a("192.0.2.1", 2 ** 31);
  zone["m2.test A"] = a("192.0.2.2", 0);
  const hosts = names();
  await hosts.resolve("m1.test");
  await hosts.resolve("m2.test");
  await hosts.resolve("m2.test");
  assert.equal(asked.length, 2, "a TTL of 0 is raised");
  now += 3_601_000;
  await hosts.resolve("m1.test");
  assert.equal(asked.length, 3);
});
