import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { HttpEndpoint, type LookupClient, type LookupReply } from "../../../proxy/lookup/index.ts";
import { SocketTransport } from "../../../proxy/transport/index.ts";
import {
  type Answer,
  type LookupEndpoint,
  never,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/lookup-endpoint.ts";
import { lookUp, lookupClientOf, lookupRequest } from "../../support/lookup-request.ts";
import { freePorts } from "../../support/ports.ts";
import { makeScratch } from "../../support/scratch.ts";

const transport = new SocketTransport();

function atPort(port: number, keepalive = true): LookupClient {
  return lookupClientOf(transport, {
    auth_http: { https: false, host: "127.0.0.1", port, hostHeader: "127.0.0.1", uri: "/auth" },
    tls: null,
    auth_http_header: ["X-Auth-Key: k"],
    auth_http_cache: null,
    auth_http_keepalive: keepalive,
    auth_http_unescape: false,
    auth_http_pass_client_cert: false,
  });
}

async function endpoint(context: TestContext, answer: Answer): Promise<LookupEndpoint> {
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
  freshness: null,
  remembered: null,
};

test("lookups one after another share a connection", async (context) => {
  const { port, listener, lookups } = await endpoint(context, () => route(143));
  const lookupClient = atPort(port);
  for (let attempt = 1; attempt <= 10; attempt++)
    assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
  assert.equal(listener.connections, 1);
  assert.deepEqual(
    lookups.map((lookup) => lookup.header("Auth-Login-Attempt")).join(),
    "1,2,3,4,5,6,7,8,9,10",
  );
});

test("a lookup over a unix socket is one like others, to localhost", async (context) => {
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
  });
  for (let attempt = 1; attempt <= 3; attempt++)
    assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
  assert.equal(started.listener.connections, 1);
  assert.deepEqual(started.lookups[0]?.lines.slice(0, 2), [
    "GET /auth HTTP/1.1",
    "Host: localhost",
  ]);
});

test("lookups at once have a connection each, which later ones use", async (context) => {
  const { port, listener } = await endpoint(context, () => route(143));
  const lookupClient = atPort(port);
  const all = (): Promise<LookupReply[]> =>
    Promise.all(Array.from({ length: 5 }, (_, index) => ask(lookupClient, index + 1)));
  for (const said of await all()) assert.deepEqual(said, ROUTE);
  assert.equal(listener.connections, 5);
  await all();
  assert.equal(listener.connections, 5);
});

test("answers are not mixed up", async (context) => {
  const { port } = await endpoint(context, (lookup) =>
    reply(200, { "Auth-Status": `no ${lookup.header("Auth-Login-Attempt")}` }),
  );
  const lookupClient = atPort(port);
  for (let round = 0; round < 5; round++) {
    const attempts = Array.from({ length: 20 }, (_, index) => round * 20 + index);
    const said = await Promise.all(attempts.map((attempt) => ask(lookupClient, attempt)));
    assert.deepEqual(
      said.map((one) => ("text" in one ? one.text : null)),
      attempts.map((attempt) => `no ${attempt}`),
    );
  }
});

test("a body is read over, and the connection used again", async (context) => {
  const body = "<p>hello</p>".repeat(100);
  const { port, listener } = await endpoint(
    context,
    () => `${route(143).replace("Content-Length: 0", `Content-Length: ${body.length}`)}${body}`,
  );
  const lookupClient = atPort(port);
  for (let attempt = 1; attempt <= 3; attempt++)
    assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
  assert.equal(listener.connections, 1);
});

for (const [name, text] of Object.entries({
  "closed by the endpoint": route(143).replace("Content-Length: 0", "X: y"),
  "announced to be closed": route(143, { Connection: "close" }),
  "of HTTP/1.0": route(143).replace("HTTP/1.1", "HTTP/1.0"),
  "with more bytes than announced": `${route(143)}more`,
})) {
  test(`a connection ${name} is not used again`, async (context) => {
    const { port, listener } = await endpoint(context, () => text);
    const lookupClient = atPort(port);
    for (let attempt = 1; attempt <= 3; attempt++)
      assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
    assert.equal(listener.connections, 3);
  });
}

test("with keepalive off each lookup is HTTP/1.0 on a connection of its own", async (context) => {
  const { port, listener, lookups } = await endpoint(context, () => route(143));
  const lookupClient = atPort(port, false);
  for (let attempt = 1; attempt <= 3; attempt++)
    assert.deepEqual(await ask(lookupClient, attempt), ROUTE);
  assert.equal(listener.connections, 3);
  assert.equal(lookups[0]?.lines[0], "GET /auth HTTP/1.0");
  assert.equal(lookups[0]?.lines.at(-1), "X-Auth-Key: k");
});

test("a kept connection that dies with the question is replaced, once", async (context) => {
  let asked = 0;
  const { port, listener } = await endpoint(context, () => (++asked === 2 ? "" : route(143)));
  const lookupClient = atPort(port);
  assert.deepEqual(await ask(lookupClient), ROUTE);
  assert.deepEqual(await ask(lookupClient), ROUTE);
  assert.deepEqual([asked, listener.connections], [3, 2]);
});

test("a new connection that dies with the question is not replaced", async (context) => {
  const { port, listener } = await endpoint(context, () => "");
  assert.equal((await ask(atPort(port))).kind, "unavailable");
  assert.equal(listener.connections, 1);
});

test("a question that was half answered is not asked again", async (context) => {
  let asked = 0;
  const { port } = await endpoint(context, () =>
    ++asked === 2 ? "HTTP/1.1 200 OK\r\n" : route(143),
  );
  const lookupClient = atPort(port);
  await ask(lookupClient);
  assert.equal((await ask(lookupClient)).kind, "unavailable");
  assert.equal(asked, 2);
});

test("an endpoint that was restarted meanwhile is asked anew", async (context) => {
  const { port, listener } = await endpoint(context, () => route(143));
  const lookupClient = atPort(port);
  await ask(lookupClient);
  await listener.close();
  await listener.listen(port);
  assert.deepEqual(await ask(lookupClient), ROUTE);
});

describe("whatever the endpoint does wrong,", () => {
  const WRONGS: Record<string, Answer> = {
    garbage: () => "\x16\x03\x01\0 what",
    "an early end": () => "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n",
    silence: () => "",
    "a reply without end": () => `HTTP/1.1 200 OK\r\n${"x".repeat(100_000)}`,
  };
  for (const [name, answer] of Object.entries(WRONGS)) {
    test(`${name} is told as unavailable, with a reason`, async (context) => {
      const { port } = await endpoint(context, answer);
      const said = await ask(atPort(port));
      assert.equal(said.kind, "unavailable");
      assert.ok("why" in said && said.why !== "");
    });
  }

  test("its absence is told as unavailable", async () => {
    const [port] = await freePorts(1);
    const said = await ask(atPort(port!));
    assert.ok(
      said.kind === "unavailable" && /^recv\(\) failed \(111: Connection refused\)$/.test(said.why),
    );
  });
});

test("giving up ends the lookup and its connection", async (context) => {
  const { port, listener, lookups } = await endpoint(context, never);
  const giveUp = new AbortController();
  const asked = lookUp(atPort(port), lookupRequest(), giveUp.signal);
  if (listener.connections === 0) await once(listener, "connection");
  while (lookups.length === 0) await new Promise(setImmediate);
  giveUp.abort(new Error("enough"));
  await assert.rejects(asked);
  await lookups[0]?.gone;
});

test("a lookup that was answered is not given up later", async (context) => {
  const { port, listener } = await endpoint(context, () => route(143));
  const lookupClient = atPort(port);
  const giveUp = new AbortController();
  await lookUp(lookupClient, lookupRequest(), giveUp.signal);
  giveUp.abort();
  assert.deepEqual(await ask(lookupClient), ROUTE);
  assert.equal(listener.connections, 1);
});

test("a lookup that is cancelled after its reply leaves the kept connection alone", async (context) => {
  const { port, listener } = await endpoint(context, () => route(143));
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
