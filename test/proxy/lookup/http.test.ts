import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { HttpEndpoint, type LookupClient, type LookupReply } from "../../../proxy/lookup/index.ts";
import { SocketTransport } from "../../../proxy/transport/index.ts";
import { eventually } from "../../support/eventually.ts";
import {
  type Answer,
  type LookupEndpoint,
  never,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { lookUp, lookupClientOf, lookupRequest } from "../../support/proxy/lookup-request.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { makeScratch } from "../../support/programs/scratch.ts";

const transport = new SocketTransport();

function clientAt(port: number, keepalive = true): LookupClient {
  return lookupClientOf(transport, {
    auth_http: { https: false, host: "127.0.0.1", port, hostHeader: "127.0.0.1", uri: "/auth" },
    tls: null,
    auth_http_header: ["X-Auth-Key: k"],
    auth_http_cache: null,
    auth_http_keepalive: keepalive,
    auth_http_unescape: false,
    auth_http_pass_client_cert: false,
    auth_http_timeout: 60_000,
  });
}

async function startEndpoint(context: TestContext, answer: Answer): Promise<LookupEndpoint> {
  const started = await startLookupEndpoint(answer);
  context.after(() => started.close());
  return started;
}

function ask(lookupClient: LookupClient, attempt = 1): Promise<LookupReply> {
  return lookUp(lookupClient, lookupRequest({ attempt }));
}

const ROUTE = {
  kind: "route",
  route: { servers: [{ host: "127.0.0.1", port: 143 }], tls: null, tlsName: null },
  login: null,
  password: null,
  user: null,
  freshness: null,
  remembered: null,
};

test("successive lookups share a connection", async (context) => {
  const { port, listener, lookups } = await startEndpoint(context, () => route(143));
  const lookupClient = clientAt(port);
  for (let attempt = 1; attempt <= 10; attempt++)
    assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
  assert.equal(listener.connections, 1);
  assert.deepEqual(
    lookups.map((lookup) => lookup.header("Auth-Login-Attempt")).join(),
    "1,2,3,4,5,6,7,8,9,10",
  );
});

test("lookups over a unix socket have the Host localhost and share a connection", async (context) => {
  const { path, remove } = await makeScratch();
  context.after(remove);
  const socket = join(path, "auth.sock");
  const started = await startLookupEndpoint(() => route(143), socket);
  context.after(() => started.close());
  const lookupClient = lookupClientOf(transport, {
    auth_http: {
      https: false,
      host: `unix:${socket}`,
      port: 0,
      hostHeader: "localhost",
      uri: "/auth",
    },
    tls: null,
    auth_http_header: [],
    auth_http_cache: null,
    auth_http_keepalive: true,
    auth_http_unescape: false,
    auth_http_pass_client_cert: false,
    auth_http_timeout: 60_000,
  });
  for (let attempt = 1; attempt <= 3; attempt++)
    assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
  assert.equal(started.listener.connections, 1);
  assert.deepEqual(started.lookups[0]?.lines.slice(0, 2), [
    "GET /auth HTTP/1.1",
    "Host: localhost",
  ]);
});

test("lookups at the same time have a connection each, and later lookups reuse the connections", async (context) => {
  const { port, listener } = await startEndpoint(context, () => route(143));
  const lookupClient = clientAt(port);
  const all = (): Promise<LookupReply[]> =>
    Promise.all(Array.from({ length: 5 }, (_, index) => ask(lookupClient, index + 1)));
  for (const answer of await all()) assert.deepEqual(answer, ROUTE);
  assert.equal(listener.connections, 5);
  await all();
  assert.equal(listener.connections, 5);
});

test("each of many lookups at the same time gets its own answer", async (context) => {
  const { port } = await startEndpoint(context, (lookup) =>
    reply(200, { "Auth-Status": `no ${lookup.header("Auth-Login-Attempt")}` }),
  );
  const lookupClient = clientAt(port);
  for (let round = 0; round < 5; round++) {
    const attempts = Array.from({ length: 20 }, (_, index) => round * 20 + index);
    const answers = await Promise.all(attempts.map((attempt) => ask(lookupClient, attempt)));
    assert.deepEqual(
      answers.map((answer) => ("text" in answer ? answer.text : null)),
      attempts.map((attempt) => `no ${attempt}`),
    );
  }
});

test("a reply's body is skipped, and the connection is reused", async (context) => {
  const body = "<p>hello</p>".repeat(100);
  const { port, listener } = await startEndpoint(
    context,
    () => `${route(143).replace("Content-Length: 0", `Content-Length: ${body.length}`)}${body}`,
  );
  const lookupClient = clientAt(port);
  for (let attempt = 1; attempt <= 3; attempt++)
    assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
  assert.equal(listener.connections, 1);
});

for (const [name, text] of Object.entries({
  "closed by the endpoint": route(143).replace("Content-Length: 0", "X: y"),
  "with Connection: close": route(143, { Connection: "close" }),
  "of HTTP/1.0": route(143).replace("HTTP/1.1", "HTTP/1.0"),
  "with more bytes than announced": `${route(143)}more`,
})) {
  test(`a connection ${name} is not reused`, async (context) => {
    const { port, listener } = await startEndpoint(context, () => text);
    const lookupClient = clientAt(port);
    for (let attempt = 1; attempt <= 3; attempt++)
      assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
    assert.equal(listener.connections, 3);
  });
}

test("auth_http_keepalive off sends each lookup by HTTP/1.0 on its own connection", async (context) => {
  const { port, listener, lookups } = await startEndpoint(context, () => route(143));
  const lookupClient = clientAt(port, false);
  for (let attempt = 1; attempt <= 3; attempt++)
    assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
  assert.equal(listener.connections, 3);
  assert.equal(lookups[0]?.lines[0], "GET /auth HTTP/1.0");
  assert.equal(lookups[0]?.lines.at(-1), "X-Auth-Key: k");
});

test("a lookup is sent again on a new connection, once, when a kept connection closes without a reply", async (context) => {
  let asked = 0;
  const { port, listener } = await startEndpoint(context, () => (++asked === 2 ? "" : route(143)));
  const lookupClient = clientAt(port);
  assert.deepEqual(await ask(lookupClient), ROUTE);
  assert.deepEqual(await ask(lookupClient), ROUTE);
  assert.deepEqual([asked, listener.connections], [3, 2]);
});

test("a lookup is not sent again when a new connection closes without a reply", async (context) => {
  const { port, listener } = await startEndpoint(context, () => "");
  assert.equal((await ask(clientAt(port))).kind, "unavailable");
  assert.equal(listener.connections, 1);
});

test("a lookup is not sent again after a partial reply", async (context) => {
  let asked = 0;
  const { port } = await startEndpoint(context, () =>
    ++asked === 2 ? "HTTP/1.1 200 OK\r\n" : route(143),
  );
  const lookupClient = clientAt(port);
  await ask(lookupClient);
  assert.equal((await ask(lookupClient)).kind, "unavailable");
  assert.equal(asked, 2);
});

test("a lookup after the endpoint's restart succeeds on a new connection", async (context) => {
  const { port, listener } = await startEndpoint(context, () => route(143));
  const lookupClient = clientAt(port);
  await ask(lookupClient);
  await listener.close();
  await listener.listen(port);
  assert.deepEqual(await ask(lookupClient), ROUTE);
});

describe("a faulty endpoint", () => {
  const FAULTS: Record<string, Answer> = {
    garbage: () => "\x16\x03\x01\0 what",
    "an early end": () => "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n",
    silence: () => "",
    "a reply without end": () => `HTTP/1.1 200 OK\r\n${"x".repeat(100_000)}`,
  };
  for (const [name, answer] of Object.entries(FAULTS)) {
    test(`${name} makes the lookup unavailable, with a reason`, async (context) => {
      const { port } = await startEndpoint(context, answer);
      const result = await ask(clientAt(port));
      assert.equal(result.kind, "unavailable");
      assert.ok("why" in result && result.why !== "");
    });
  }

  test("a closed port makes the lookup unavailable", async () => {
    const [port] = await freePorts(1);
    const answer = await ask(clientAt(port!));
    assert.ok(
      answer.kind === "unavailable" &&
        /^recv\(\) failed \(111: Connection refused\)$/.test(answer.why),
    );
  });
});

test("an aborted signal ends the lookup and closes the lookup's connection", async (context) => {
  const { port, listener, lookups } = await startEndpoint(context, never);
  const aborting = new AbortController();
  const asked = lookUp(clientAt(port), lookupRequest(), aborting.signal);
  if (listener.connections === 0) await once(listener, "connection");
  await eventually("a lookup arrives", () => lookups.length > 0);
  aborting.abort(new Error("enough"));
  await assert.rejects(asked);
  await lookups[0]?.gone;
});

test("a signal that aborts after the reply leaves the kept connection open", async (context) => {
  const { port, listener } = await startEndpoint(context, () => route(143));
  const lookupClient = clientAt(port);
  const aborting = new AbortController();
  await lookUp(lookupClient, lookupRequest(), aborting.signal);
  aborting.abort();
  assert.deepEqual(await ask(lookupClient), ROUTE);
  assert.equal(listener.connections, 1);
});

test("an exchange that is cancelled after its reply leaves the kept connection open", async (context) => {
  const { port, listener } = await startEndpoint(context, () => route(143));
  const settings = {
    auth_http: { https: false, host: "127.0.0.1", port, hostHeader: "127.0.0.1", uri: "/auth" },
    tls: null,
    auth_http_keepalive: true,
    auth_http_unescape: false,
  };
  const http = new HttpEndpoint(transport, settings);
  const text = "GET /auth HTTP/1.1\r\nHost: a\r\n\r\n";
  for (let count = 0; count < 3; count++) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const exchange = http.ask(text, { replied: () => resolve(), failed: reject });
    await promise;
    exchange.cancel();
  }
  assert.equal(listener.connections, 1);
});
