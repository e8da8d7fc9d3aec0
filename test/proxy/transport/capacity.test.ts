// The limit on open connections (worker_connections).
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Server, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type Address,
  type Connection,
  SocketTransport,
  openConnection,
} from "../../../proxy/transport/index.ts";
import { accepted } from "../../support/transport/connections.ts";
import { freePorts } from "../../support/programs/ports.ts";

const { signal } = new AbortController();
const full = new Error("3 worker_connections are not enough");

describe("a transport of three connections, one of them reserved,", () => {
  let server: Server;
  let address: Address;
  before(async () => {
    server = createServer((socket) => socket.resume().on("error", () => {})).listen(0, "127.0.0.1");
    await once(server, "listening");
    address = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  });
  after(() => server.close());

  const small = () => new SocketTransport(3, 1);

  test("dials two connections, and a third one after one of them is closed", async () => {
    const transport = small();
    const first = await openConnection(transport, address, signal);
    const second = await openConnection(transport, address, signal);
    await assert.rejects(openConnection(transport, address, signal), full);
    first.destroy();
    await isClosed(first);
    const third = await openConnection(transport, address, signal);
    await assert.rejects(openConnection(transport, address, signal), full);
    for (const connection of [second, third]) connection.destroy();
  });

  test("counts a dial that has no answer yet", async () => {
    const transport = small();
    const dials = [1, 2].map(() => openConnection(transport, address, signal));
    await assert.rejects(openConnection(transport, address, signal), full);
    for (const connection of await Promise.all(dials)) connection.destroy();
  });

  test("counts accepted connections until each one is closed", async () => {
    const transport = small();
    const [one, two, three] = [await accepted(), await accepted(), await accepted()];
    for (const { connection } of [one, two]) transport.admit(connection);
    assert.throws(() => transport.admit(three.connection), full);
    const closed = isClosed(one.connection);
    one.peer.destroy();
    one.connection.resume();
    one.connection.end();
    await closed;
    transport.admit(three.connection);
    for (const { connection, peer } of [two, three]) {
      connection.destroy();
      peer.destroy();
    }
  });

  test("frees the place of a dial that fails", async () => {
    const transport = small();
    const [port = 0] = await freePorts(1);
    for (let count = 0; count < 5; count++) {
      await assert.rejects(
        openConnection(transport, { host: "127.0.0.1", port }, signal),
        /ECONNREFUSED/,
      );
      await assert.rejects(openConnection(transport, address, AbortSignal.abort()), /aborted/);
    }
  });

  test("closes only the connection that has been spare for longest", async () => {
    const transport = small();
    const [first, second] = [
      await openConnection(transport, address, signal),
      await openConnection(transport, address, signal),
    ];
    for (const connection of [second, first]) transport.spare(connection, true);
    transport.spare(second, false);
    transport.spare(second, true);
    const closed = isClosed(first);
    const third = await openConnection(transport, address, signal);
    await closed;
    transport.spare(second, false);
    await assert.rejects(openConnection(transport, address, signal), full);
    for (const connection of [second, third]) connection.destroy();
  });
});

/** Waits until a connection is closed and its place is free. */
async function isClosed(connection: Connection): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  connection.receiver = { received() {}, drained() {}, ended() {}, closed: () => resolve() };
  await promise;
  await nextTurn();
}
