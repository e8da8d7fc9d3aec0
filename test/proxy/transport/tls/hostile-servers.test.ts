// Servers that speak no TLS or break off: no byte of theirs is received as text, and no resource leaks.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { describe, test } from "node:test";
import type { SocketClientTls } from "../../../../proxy/transport/index.ts";
import { issue } from "../../../support/certificates/authority.ts";
import { RecordingReceiver } from "../../../support/transport/connections.ts";
import {
  GREETING,
  type TlsPeer,
  clientTls,
  dial,
  greeted,
  opened,
  tcpPeer,
  tlsPeer,
} from "../../../support/transport/tls-peer.ts";
import { connectTlsOn } from "../../../support/transport/transport.ts";

const authority = issue("/CN=authority", { ca: true });
const good = issue("/CN=mail.test", { by: authority, names: "DNS:mail.test" });
const expired = issue("/CN=mail.test", { by: authority, names: "DNS:mail.test", days: -1 });

function trusting(): SocketClientTls {
  const files = { "ca.crt": authority.certificate };
  return clientTls("proxy_ssl_trusted_certificate ca.crt;", files);
}

describe("a handshake fails where the server", () => {
  const failing = async (serve: (socket: Socket) => void): Promise<string> => {
    await using peer = await tcpPeer(serve);
    const failure = await opened(peer, trusting()).catch((error: unknown) => error);
    assert.ok(failure instanceof Error);
    return failure.message;
  };
  const WRONG =
    /^SSL_do_handshake\(\) failed \(SSL: error:0A00010B:SSL routines::wrong version number\)$/;

  test("greets in the clear", async () => {
    assert.match(await failing((socket) => socket.write(GREETING)), WRONG);
  });

  test("answers the first message in the clear", async () => {
    const serve = (socket: Socket): void => {
      socket.once("data", () => socket.write("tag BAD what?\r\n"));
    };
    assert.match(await failing(serve), WRONG);
  });

  test("closes at once, or after the client's first message", async () => {
    const CLOSED = "peer closed connection in SSL handshake";
    assert.equal(await failing((socket) => socket.end()), CLOSED);
    assert.equal(await failing((socket) => socket.once("data", () => socket.end())), CLOSED);
  });

  test("resets the connection", async () => {
    const serve = (socket: Socket): void => {
      socket.once("data", () => socket.resetAndDestroy());
    };
    assert.match(
      await failing(serve),
      /^peer closed connection|Connection reset by peer|ECONNRESET/,
    );
  });

  test("closes at any byte of its first flight", async () => {
    for (const bytes of [1, 5, 6, 100, 500]) {
      await using whole = await tlsPeer(good);
      let passed = 0;
      await using half = await relay(whole, (chunk, to) => {
        const rest = chunk.subarray(0, bytes - passed);
        passed += rest.length;
        to.write(rest);
        if (passed === bytes) to.end();
      });
      await assert.rejects(opened(half, trusting()), {
        message: "peer closed connection in SSL handshake",
      });
      assert.deepEqual(whole.met, []);
    }
  });

  test("sends nothing until the client destroys the connection", async () => {
    const arrived = Promise.withResolvers<void>();
    await using peer = await tcpPeer((socket) => socket.once("data", () => arrived.resolve()));
    const connection = await dial(peer.at);
    const handshake = connectTlsOn(connection, trusting(), "mail.test");
    const refused = assert.rejects(handshake, /closed in the handshake/);
    await arrived.promise;
    connection.destroy();
    await refused;
  });
});

/** Forwards the client's bytes; `pass` forwards the server's bytes. */
function relay(peer: TlsPeer, pass: (chunk: Buffer, to: Socket) => void): Promise<TlsPeer> {
  return tcpPeer((socket) => {
    const server = connect({ ...peer.at, noDelay: true });
    server.on("error", () => {});
    server.on("data", (chunk: Buffer) => pass(chunk, socket));
    socket.on("data", (chunk) => server.write(chunk));
    socket.once("close", () => server.destroy());
  });
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  const options = { minVersion: version, maxVersion: version };

  test(`a handshake of ${version} succeeds where each byte arrives alone`, async () => {
    await using whole = await tlsPeer(good, options);
    await using bytewise = await relay(whole, (chunk, to) => {
      to.setNoDelay(true);
      for (const byte of chunk) to.write(Uint8Array.of(byte));
    });
    await greeted(await opened(bytewise, trusting()));
  });
}

/** Types of TLS records (RFC 8446 section 5.1). */
const CHANGE_CIPHER_SPEC = 20;
const APPLICATION_DATA = 23;

function recordTypes(stream: Buffer): readonly number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= stream.length; at += 5 + stream.readUInt16BE(at + 3)) {
    types.push(stream[at]!);
  }
  return types;
}

test("a greeting that arrives together with the end of the handshake is received", async () => {
  await using whole = await tlsPeer(good, { maxVersion: "TLSv1.2" });
  let stream = Buffer.alloc(0);
  let passed = 0;
  await using slow = await relay(whole, (chunk, to) => {
    stream = Buffer.concat([stream, chunk]);
    const types = recordTypes(stream);
    if (types.includes(CHANGE_CIPHER_SPEC) && !types.includes(APPLICATION_DATA)) return;
    to.write(stream.subarray(passed));
    passed = stream.length;
  });
  await greeted(await opened(slow, trusting()));
});

test("bytes that arrived before the handshake make the handshake fail, and are never received", async () => {
  await using peer = await tlsPeer(good);
  const connection = await dial(peer.at);
  const receiver = new RecordingReceiver(connection);
  connection.unread(Buffer.from("* PREAUTH injected\r\n"));
  const handshake = connectTlsOn(connection, trusting(), "mail.test");
  await assert.rejects(handshake, /wrong version number/);
  await receiver.closing.promise;
  assert.equal(receiver.text, "");
  assert.deepEqual(peer.met, []);
});

test("bytes that wait in a paused connection make the handshake fail, and are never received", async () => {
  const injected = Promise.withResolvers<void>();
  await using peer = await tcpPeer((socket) => socket.write(GREETING, () => injected.resolve()));
  const connection = await dial(peer.at);
  const receiver = new RecordingReceiver(connection);
  connection.pause();
  await injected.promise;
  const handshake = connectTlsOn(connection, trusting(), "mail.test");
  await assert.rejects(handshake, /wrong version number/);
  await receiver.closing.promise;
  assert.equal(receiver.text, "");
});

test("a failed handshake leaves no socket open on either side", async () => {
  const ended = Promise.withResolvers<void>();
  await using whole = await tlsPeer(expired);
  await using watched = await tcpPeer((socket) => {
    const server = connect(whole.at);
    socket.pipe(server).pipe(socket);
    socket.once("close", () => ended.resolve());
    server.once("error", () => {});
  });
  await assert.rejects(opened(watched, trusting()), /certificate has expired/);
  await ended.promise;
  for (const socket of whole.met) if (!socket.destroyed) await once(socket, "close");
});
