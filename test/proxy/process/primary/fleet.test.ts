// Reports of a worker process to the fleet, and sessions while the fleet is away.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, describe, test } from "node:test";
import { issue } from "../../../support/certificates/authority.ts";
import { route, startLookupEndpoint } from "../../../support/peers/lookup-endpoint.ts";
import { attempt, greeted, temporary } from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";
import { type Servers, startServers } from "../../../support/programs/servers.ts";

interface Told {
  readonly request: IncomingMessage;
  readonly body: { readonly reports: readonly unknown[] };
}

interface Fleet {
  readonly proxy: Servers<"imap">;
  /** The upstream port of every lookup's reply; no server listens on it. */
  readonly dead: number;
  readonly told: readonly Told[];
  /** Emits `told` for each report. */
  readonly requests: EventEmitter;
}

const authority = issue("/CN=authority", { ca: true });
const own = issue("/CN=localhost", { by: authority, names: "DNS:localhost" });

/**
 * A fleet's endpoint under TLS, and a proxy that reports to it.
 *
 * @param status of its answers; null for none
 * @param trusted the authority that the proxy trusts
 */
async function start(t: TestContext, status: number | null, trusted = authority): Promise<Fleet> {
  const requests = new EventEmitter();
  const told: Told[] = [];
  const serve = async (...[request, reply]: Parameters<RequestListener>): Promise<void> => {
    // The live line, which has tests of its own.
    if (request.method === "GET") {
      reply.writeHead(404).end();
      return;
    }
    told.push({ request, body: JSON.parse(await text(request)) });
    if (status !== null) reply.writeHead(status, { "Content-Length": 0 }).end();
    requests.emit("told");
  };
  const { certificate: cert, key } = own;
  const server = createServer({ cert, key }, (...call) => void serve(...call));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const { path, remove } = await makeScratch();
  await writeFile(join(path, "ca.pem"), trusted.certificate);
  await writeFile(join(path, "fleet.key"), "postern_its-own\n");
  const [dead = 0] = await freePorts(1);
  const lookups = await startLookupEndpoint(() => route(dead));
  process.env["NODE_EXTRA_CA_CERTS"] = join(path, "ca.pem");
  const proxy = await startServers(
    `auth_http ${lookups.address}; fleet https://localhost:${port}/fleet key=${path}/fleet.key;`,
    { imap: "listen 127.0.0.1:PORT; protocol imap;" },
  );
  t.after(async () => {
    delete process.env["NODE_EXTRA_CA_CERTS"];
    await proxy.stop();
    await lookups.close();
    server.closeAllConnections();
    server.close();
    await remove();
  });
  return { proxy, dead, told, requests };
}

async function logIn({ ports }: Servers<"imap">): Promise<void> {
  const wire = await greeted("imap", ports.imap);
  assert.match(await attempt("imap", wire), temporary.imap);
  wire.end();
}

test("a failing server is reported with the reason and the proxy's own key, and nothing of the user", async (t) => {
  const { proxy, dead, told, requests } = await start(t, 204);
  await logIn(proxy);
  const isNews = ({ body }: Told) => body.reports.length > 0;
  while (!told.some(isNews)) await once(requests, "told");
  const { body, request } = told.find(isNews)!;
  const why = "recv() failed (111: Connection refused)";
  assert.deepEqual(body, {
    reports: [{ host: "127.0.0.1", port: dead, state: "failing", why }],
  });
  const { method, url, headers } = request;
  assert.equal(`${method} ${url}`, "POST /fleet/health");
  assert.equal(headers.authorization, "Bearer postern_its-own");
  assert.equal(headers["content-type"], "application/json");
  assert.match(headers["user-agent"]!, /^postern\//);
});

describe("a fleet that does not listen", () => {
  test("keeps no session waiting", async (t) => {
    const { proxy, told, requests } = await start(t, null);
    if (told.length === 0) await once(requests, "told");
    for (let n = 0; n < 3; n++) await logIn(proxy);
  });

  test("is logged once, with its URL and its reply, and without the key", async (t) => {
    const { proxy } = await start(t, 401);
    const { program } = proxy.proxy;
    const [line] = await program.logs(/^.*fleet health report failed.*$/);
    assert.match(
      line![0],
      /\[error\].* failed: https:\/\/localhost:\d+\/fleet answered 401 \(check the key in "fleet"\)$/,
    );
    await logIn(proxy);
    assert.equal(program.stderr.split("fleet health report failed").length, 2);
    assert.doesNotMatch(program.stderr, /its-own/);
  });

  test("gets no report with a certificate that is not trusted", async (t) => {
    const { proxy, told } = await start(t, 204, issue("/CN=another", { ca: true }));
    const [line] = await proxy.proxy.program.logs(/^.*fleet health report failed.*$/);
    assert.match(line![0], /certificate/);
    assert.deepEqual(told, []);
  });
});
