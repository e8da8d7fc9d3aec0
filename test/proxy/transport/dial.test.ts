import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Address, DialOptions } from "../../../proxy/transport/index.ts";
import { RecordingReceiver, transport } from "../../support/transport/connections.ts";
import { firstProbe, noLinux } from "../../support/transport/keep-alive.ts";
import { makeScratch } from "../../support/programs/scratch.ts";
import { openConnection } from "../../../proxy/transport/index.ts";

const { signal } = new AbortController();
const system: DialOptions = { bind: null, keepAlive: false };

let server: Server;
let address: Address;

before(async () => {
  server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  address = { host: "127.0.0.1", port };
});
after(() => {
  server.close();
});

/** The source address of a connection dialled with these options, as its peer sees it. */
async function origin(options: DialOptions, to = address): Promise<string | undefined> {
  const arrived = once(server, "connection") as Promise<[Socket]>;
  const connection = await openConnection(transport, to, signal, options);
  const [peer] = await arrived;
  const { remoteAddress } = peer;
  peer.destroy();
  connection.destroy();
  return remoteAddress;
}

describe("a dialled connection", { skip: noLinux }, () => {
  test("comes from the address of `bind`", async () => {
    assert.equal(await origin(system), "127.0.0.1");
    assert.equal(await origin({ ...system, bind: "127.0.0.9" }), "127.0.0.9");
  });

  test("comes from the address of `bind` to a host name too", async () => {
    const to = { ...address, host: "localhost" };
    assert.equal(await origin({ ...system, bind: "127.0.0.9" }, to), "127.0.0.9");
  });

  test("to a unix socket ignores `bind`", async (t) => {
    const { path, remove } = await makeScratch();
    t.after(remove);
    const socket = join(path, "mail.sock");
    const listener = createServer((peer) => peer.end("hello")).listen(socket);
    t.after(() => listener.close());
    await once(listener, "listening");
    const to = { host: `unix:${socket}`, port: 0 };
    const connection = await openConnection(transport, to, signal, {
      bind: "127.0.0.9",
      keepAlive: true,
    });
    const receiver = new RecordingReceiver(connection);
    await receiver.ending.promise;
    assert.equal(receiver.text, "hello");
    connection.destroy();
  });

  test("sends keep-alive probes only with keepAlive on", async () => {
    for (const keepAlive of [false, true]) {
      const arrived = once(server, "connection") as Promise<[Socket]>;
      const connection = await openConnection(transport, address, signal, { ...system, keepAlive });
      const [peer] = await arrived;
      assert.equal(firstProbe(connection) !== null, keepAlive);
      connection.destroy();
      await once(peer.resume(), "close");
    }
  });
});

test("a bind address of another machine causes nginx's error", async () => {
  await assert.rejects(
    openConnection(transport, address, signal, { ...system, bind: "192.0.2.1" }),
    {
      message: "bind(192.0.2.1) failed (99: Cannot assign requested address)",
    },
  );
});

test("a bind address of one family and a peer of the other family cause an error", async () => {
  await assert.rejects(openConnection(transport, address, signal, { ...system, bind: "::1" }), {
    message: "bind(::1) is of no use for 127.0.0.1, which is not IPv6",
  });
  const six = { ...address, host: "::1" };
  await assert.rejects(openConnection(transport, six, signal, { ...system, bind: "127.0.0.1" }), {
    message: "bind(127.0.0.1) is of no use for ::1, which is not IPv4",
  });
});

test("a name below localhost is loopback without a DNS query (RFC 6761)", async () => {
  assert.equal(await origin(system, { ...address, host: "auth.localhost" }), "127.0.0.1");
});
