import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { eq } from "drizzle-orm";
import { servers } from "../../../worker/directory/schema/index.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";

/** A name of the maximum length in DNS. */
const LONG = Array.from("abcd", (letter) => `${`${letter.repeat(59)}.`.repeat(4)}long.test`);

let resolver: Server;
let worker: Harness;
let resolving: "well" | "not" = "well";

before(async () => {
  resolver = createServer((_, response) => {
    if (resolving === "not") response.statusCode = 502;
    response.end(JSON.stringify({ Status: 0, Answer: [{ type: 1, TTL: 1, data: "192.0.2.99" }] }));
  }).listen(0, "127.0.0.1");
  await once(resolver, "listening");
  const { port } = resolver.address() as AddressInfo;
  const mail = (name: string, group: string, last: number) => ({
    name,
    group,
    host: `192.0.2.${last}`,
    imapPort: 143,
  });
  worker = await startHarness({
    vars: { DNS_OVER_HTTPS: `http://127.0.0.1:${port}/dns-query` },
    seed: {
      groups: [
        { name: "world", policy: "nearest", storage: "shared" },
        { name: "berlin", storage: "shared" },
        { name: "munich", storage: "shared" },
        { name: "ordered", policy: "first", storage: "shared" },
        { name: "own", policy: "first" },
        { name: "long", policy: "first", storage: "shared" },
      ],
      servers: [
        mail("world-1", "world", 1),
        mail("berlin-1", "berlin", 11),
        { ...mail("munich-1", "munich", 12), state: "down" },
        { ...mail("main", "ordered", 21), position: 1, tls: "starttls", tlsName: "main.test" },
        { ...mail("spare", "ordered", 22), position: 2, tls: "starttls" },
        {
          ...mail("named", "ordered", 0),
          position: 3,
          host: "imap.example.test",
          tls: "starttls",
        },
        { ...mail("clear", "ordered", 23), position: 4, tls: "off" },
        ...LONG.map((host, position) => ({ ...mail(host, "long", 0), host, position })),
        { ...mail("own-1", "own", 31), position: 1 },
        { ...mail("own-2", "own", 32), position: 2 },
      ],
      users: [
        { address: "traveller@example.test", group: "world", passwordHash },
        { address: "alice@example.test", group: "ordered", passwordHash },
        { address: "named@example.test", group: "ordered", server: "named", passwordHash },
        { address: "owner@example.test", group: "own", passwordHash },
        { address: "long@example.test", group: "long", passwordHash },
        {
          address: "longest@example.test",
          group: "long",
          passwordHash,
          upstreamLogin: "u".repeat(300),
        },
      ],
      networks: [
        { network: "10.0.0.0/8", prefix: 8, access: "deny" },
        { network: "10.1.0.0/16", prefix: 16, group: "berlin" },
        { network: "10.3.0.0/16", prefix: 16, group: "munich" },
        { network: "10.1.2.0/24", prefix: 24, access: "deny" },
        { network: "2001:db8::/32", prefix: 32, group: "berlin" },
        { network: "2001:db8:1::/48", prefix: 48, access: "deny" },
      ],
    },
  });
});
after(async () => {
  await worker.close();
  resolver.close();
});

describe("the guide's promise that the client's address may choose the server", () => {
  for (const [client, server] of [
    ["192.0.2.1", "192.0.2.1"],
    ["10.1.0.1", "192.0.2.11"],
    ["10.1.255.255", "192.0.2.11"],
    ["2001:db8::1", "192.0.2.11"],
    ["2001:db9::1", "192.0.2.1"],
    ["::ffff:10.1.3.4", "192.0.2.11"],
  ] as const) {
    test(`a client at ${client} is sent to ${server}`, async () => {
      const headers = { "Auth-User": "traveller@example.test", "Client-IP": client };
      assert.equal((await worker.ask(headers)).auth["auth-server"], server);
    });
  }

  test("and the other servers serve if those of its network are down", async () => {
    const headers = { "Auth-User": "traveller@example.test", "Auth-Accept": "fallback" };
    const away = await worker.ask({ ...headers, "Client-IP": "10.3.0.1" });
    assert.equal(away.auth["auth-server"], "192.0.2.1");
    const there = await worker.ask({ ...headers, "Client-IP": "10.1.0.1" });
    assert.equal(there.auth["auth-fallback"], "192.0.2.1:143");
  });

  test("only for users with shared storage", async () => {
    const { auth } = await worker.ask({ "Client-IP": "10.1.0.1" });
    assert.equal(auth["auth-server"], "192.0.2.21");
  });
});

for (const client of ["10.2.0.1", "10.1.2.3", "2001:db8:1::1"]) {
  test(`no user logs in from ${client}, with any password`, async () => {
    for (const headers of [{}, { "Auth-Pass": "x" }, { "Auth-User": "nobody@example.test" }]) {
      const { status, auth } = await worker.ask({ ...headers, "Client-IP": client });
      assert.equal(status, 200);
      assert.equal(auth["auth-status"], "[AUTHORIZATIONFAILED] Not from this network");
    }
  });
}

test("a caller that accepts fallbacks and TLS gets them", async () => {
  const { auth, bytes } = await worker.ask({ "Auth-Accept": "hostname, tls, fallback" });
  const { "auth-user-id": _id, "auth-user-version": _version, ...route } = auth;
  assert.deepEqual(route, {
    "auth-status": "OK",
    "auth-server": "192.0.2.21",
    "auth-port": "143",
    "auth-upstream-tls": "starttls",
    "auth-upstream-name": "main.test",
    "auth-fallback": "192.0.2.22:143, imap.example.test:143",
  });
  assert.ok(bytes < 700);
});

test("a caller that does not accept TLS gets all fallbacks", async () => {
  const { auth } = await worker.ask({ "Auth-Accept": "fallback" });
  assert.equal(auth["auth-fallback"], "192.0.2.22:143, 192.0.2.23:143");
});

test("of fallbacks with long names, only as many are sent as fit into 700 bytes", async () => {
  const headers = { "Auth-User": "long@example.test", "Auth-Accept": "hostname, tls, fallback" };
  const { auth, bytes } = await worker.ask(headers);
  assert.equal(auth["auth-server"], LONG[0]);
  assert.equal(auth["auth-fallback"], `${LONG[1]}:143`);
  assert.ok(bytes < 700, `${bytes} bytes`);
  const longest = await worker.ask({ ...headers, "Auth-User": "longest@example.test" });
  assert.equal(longest.status, 503);
  assert.equal(longest.auth["auth-server"], undefined);
});

test("words of Auth-Accept may be in any case, and unknown ones are ignored", async () => {
  const { auth } = await worker.ask({ "Auth-Accept": "X-Ray,,TLS ,\tFallback,hostname" });
  assert.equal(auth["auth-upstream-tls"], "starttls");
  assert.equal(auth["auth-fallback"], "192.0.2.22:143, imap.example.test:143");
});

test("fallbacks with names are only for callers that accept names", async () => {
  const { auth } = await worker.ask({ "Auth-Accept": "tls, fallback" });
  assert.equal(auth["auth-fallback"], "192.0.2.22:143");
});

test("nginx gets only headers that it reads", async () => {
  const { auth } = await worker.ask();
  assert.deepEqual(Object.keys(auth).toSorted(), ["auth-port", "auth-server", "auth-status"]);
});

test("with own storage there is no fallback, and changes of weights or states move no user", async () => {
  const headers = { "Auth-User": "owner@example.test", "Auth-Accept": "fallback" };
  const { auth } = await worker.ask(headers);
  assert.equal(auth["auth-server"], "192.0.2.31");
  assert.equal(auth["auth-fallback"], undefined);
  await worker.db
    .update(servers)
    .set({ position: 9, state: "draining" })
    .where(eq(servers.name, "own-1"));
  assert.equal((await worker.ask(headers)).auth["auth-server"], "192.0.2.31");
  await worker.db.update(servers).set({ state: "down" }).where(eq(servers.name, "own-1"));
  assert.equal((await worker.ask(headers)).status, 503);
});

describe("a server with a host name", () => {
  const headers = { "Auth-User": "named@example.test" };

  test("is sent by name to callers that resolve names", async () => {
    const { auth } = await worker.ask({ ...headers, "Auth-Accept": "hostname" });
    assert.equal(auth["auth-server"], "imap.example.test");
  });

  test("is resolved for other callers, which get the name of its certificate", async () => {
    const { auth } = await worker.ask({ ...headers, "Auth-Accept": "tls" });
    assert.equal(auth["auth-server"], "192.0.2.99");
    assert.equal(auth["auth-upstream-name"], "imap.example.test");
    const byName = await worker.ask({ ...headers, "Auth-Accept": "tls, hostname" });
    assert.equal(byName.auth["auth-upstream-name"], undefined);
  });

  test("is resolved for nginx, with the last known address while the resolver fails", async () => {
    assert.equal((await worker.ask(headers)).auth["auth-server"], "192.0.2.99");
    resolving = "not";
    assert.equal((await worker.ask(headers)).auth["auth-server"], "192.0.2.99");
  });
});
