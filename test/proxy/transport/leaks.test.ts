// A connection leaves no socket and no taken place behind, however it ends.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { setImmediate as turn } from "node:timers/promises";
import {
  type Connection,
  SocketClientTls,
  openConnection,
} from "../../../proxy/transport/index.ts";
import { accepted, dialled, transport } from "../../support/transport/connections.ts";
import { eventually } from "../../support/eventually.ts";
import { serverTls } from "../../support/transport/server-tls.ts";
import { acceptTlsOn, connectTlsOn } from "../../support/transport/transport.ts";

type Ending = (connection: Connection, peer: Socket) => Promise<void> | void;

const tls = await serverTls();
const asClient = new SocketClientTls({ verify: false, trusted: null });

const ENDINGS: Readonly<Record<string, Ending>> = {
  destroyed: (connection) => connection.destroy(),
  reset: (connection) => connection.reset(),
  "reset after a write": (connection) => {
    connection.write("words");
    connection.reset();
  },
  "reset behind a FIN": (connection) => {
    connection.end();
    connection.reset();
  },
  "closed towards a peer that never closes": (connection) => connection.close(),
  "closed twice, and destroyed": (connection) => {
    connection.close();
    connection.close();
    connection.destroy();
  },
  "closed, and reset by the peer": (connection, peer) => {
    connection.close();
    peer.resetAndDestroy();
  },
  "reset by the peer, and closed": async (connection, peer) => {
    connection.resume();
    const gone = new Promise<unknown>((resolve) => {
      connection.receiver = { received() {}, drained() {}, ended() {}, closed: resolve };
    });
    peer.resetAndDestroy();
    await gone;
    connection.close();
    connection.reset();
  },
  "destroyed while a handshake is awaited": async (connection) => {
    const handshake = acceptTlsOn(connection, tls);
    connection.destroy();
    await assert.rejects(handshake);
  },
  "reset while a handshake is awaited": async (connection) => {
    const handshake = acceptTlsOn(connection, tls);
    connection.reset();
    await assert.rejects(handshake);
  },
  "destroyed while the peer's handshake is awaited": async (connection, peer) => {
    const handshake = connectTlsOn(connection, asClient, "localhost");
    await once(peer.resume(), "data");
    connection.destroy();
    await assert.rejects(handshake);
  },
  "closed when the peer leaves in the handshake": async (connection, peer) => {
    const ended = (): void => connection.close();
    connection.receiver = { received() {}, drained() {}, ended, closed() {} };
    const handshake = acceptTlsOn(connection, tls);
    peer.end("\x16\x03\x01");
    await assert.rejects(handshake);
  },
  "reset by the peer in the handshake": async (connection, peer) => {
    const handshake = acceptTlsOn(connection, tls);
    peer.resetAndDestroy();
    await assert.rejects(handshake);
  },
  "sent plain text in the handshake": async (connection, peer) => {
    const handshake = acceptTlsOn(connection, tls);
    peer.write("a NOOP\r\n");
    await assert.rejects(handshake);
  },
  "destroyed under TLS": async (connection, peer) => {
    await secured(connection, peer);
    connection.destroy();
  },
  "reset under TLS": async (connection, peer) => {
    await secured(connection, peer);
    connection.write("words");
    connection.reset();
  },
  "closed under TLS towards a peer that never closes": async (connection, peer) => {
    await secured(connection, peer);
    connection.close();
  },
};

async function secured(connection: Connection, peer: Socket): Promise<void> {
  const client = connectTls({ socket: peer, rejectUnauthorized: false });
  client.on("error", () => {});
  await Promise.all([acceptTlsOn(connection, tls), once(client, "secureConnect")]);
}

/** The sockets that this process has open. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}

for (const [how, end] of Object.entries(ENDINGS)) {
  for (const make of [accepted, dialled]) {
    test(`a connection that is ${make.name} and then ${how} leaves no socket`, async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const before = openSockets();
      const { peer, connection } = await make();
      peer.on("error", () => {});
      const gone = Promise.withResolvers<void>();
      Object.assign(connection, { gone: gone.resolve });
      await end(connection, peer);
      // A peer has 2 s at most to close its side.
      t.mock.timers.tick(2000);
      await gone.promise;
      peer.destroy();
      while (openSockets() > before) await turn();
    });
  }
}

test("a dial that is aborted before an answer leaves no socket", async () => {
  const before = openSockets();
  const giveUp = new AbortController();
  const dial = openConnection(transport, { host: "192.0.2.1", port: 9 }, giveUp.signal);
  giveUp.abort(new Error("enough"));
  await assert.rejects(dial);
  await eventually("the socket of the dial is closed", () => openSockets() <= before);
});
