// The socket options of the connection to an upstream, and the reset of the connection.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { firstProbe, noLinux } from "../../support/transport/keep-alive.ts";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  temporary,
  untilClosed,
} from "../../support/peers/mail-client.ts";
import type { Listener } from "../../support/peers/mailbox/index.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/peers/upstream.ts";
import { Wire } from "../../support/peers/wire.ts";

let upstream: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<"plain" | "bound" | "elsewhere" | "six" | "alive">;

before(async () => {
  upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  endpoint = await startLookupEndpoint(() => route(upstream.port));
  const imap = "listen 127.0.0.1:PORT; protocol imap;";
  postern = await startServers(`auth_http ${endpoint.address};`, {
    plain: imap,
    bound: `${imap} proxy_bind 127.0.0.9;`,
    elsewhere: `${imap} proxy_bind 192.0.2.1;`,
    six: `${imap} proxy_bind ::1;`,
    alive: `${imap} proxy_socket_keepalive on;`,
  });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await upstream.close();
});

async function logIn(port: number): Promise<{ client: Socket; upstreamSocket: Socket }> {
  const arrived = once(upstream, "connection") as Promise<[Socket]>;
  const client = connect(port, "127.0.0.1");
  const wire = new Wire(client);
  await wire.line();
  assert.match(await attempt("imap", wire, anna), granted.imap);
  const [upstreamSocket] = await arrived;
  return { client, upstreamSocket };
}

describe("the connection to an upstream", { skip: noLinux }, () => {
  test("proxy_bind sets the local address of upstream connections, and not of lookups", async () => {
    const asked = once(endpoint.listener, "connection") as Promise<[Socket]>;
    const { client, upstreamSocket } = await logIn(postern.ports.bound);
    assert.equal(upstreamSocket.remoteAddress, "127.0.0.9");
    const [lookup] = await asked;
    assert.equal(lookup.remoteAddress, "127.0.0.1");
    client.destroy();
  });

  test("proxy_socket_keepalive turns on TCP keep-alive, which is off by default", async () => {
    for (const [port, alive] of [
      [postern.ports.plain, false],
      [postern.ports.alive, true],
    ] as const) {
      const { client, upstreamSocket } = await logIn(port);
      const local = { host: "127.0.0.1", port: upstreamSocket.remotePort! };
      const remote = { host: "127.0.0.1", port: upstreamSocket.localPort! };
      assert.equal(firstProbe({ local, remote }) !== null, alive);
      client.destroy();
    }
  });
});

for (const [name, reason] of [
  ["elsewhere", "bind(192.0.2.1) failed (99: Cannot assign requested address)"],
  ["six", "bind(::1) is of no use for 127.0.0.1, which is not IPv6"],
] as const) {
  test(`a proxy_bind that fails is a temporary failure, and the log gives the reason: ${reason}`, async () => {
    const wire = await greeted("imap", postern.ports[name]);
    assert.match(await attempt("imap", wire), temporary.imap);
    await untilClosed(wire);
    const { stderr } = postern.proxy.program;
    assert.ok(stderr.includes(`${reason} while connecting to upstream, client: 127.0.0.1`), stderr);
  });
}

test("a client's reset resets the upstream connection, and both logs name the client's side", async () => {
  const earlier = postern.sessions().length;
  const { client, upstreamSocket } = await logIn(postern.ports.plain);
  const upstreamError = new Promise<NodeJS.ErrnoException>((resolve) =>
    upstreamSocket.once("error", resolve),
  );
  client.resetAndDestroy();
  assert.equal((await upstreamError).code, "ECONNRESET");
  await eventually("the access log has the session", () => postern.sessions().length > earlier);
  const session = postern.sessions().at(-1);
  assert.equal(session?.["end"], "client recv() failed (104: Connection reset by peer)");
  const line = "recv() failed (104: Connection reset by peer) while proxying, client: 127.0.0.1";
  assert.ok(postern.proxy.program.stderr.includes(line));
});

test("an upstream's reset amid an answer is no orderly end for the client", async () => {
  const { client, upstreamSocket } = await logIn(postern.ports.plain);
  upstreamSocket.write("* 1 FETCH half of a");
  await once(client, "data");
  const end = new Promise((resolve) => {
    client.once("end", () => resolve("FIN"));
    client.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code));
  });
  upstreamSocket.resetAndDestroy();
  assert.equal(await end, "ECONNRESET");
});
