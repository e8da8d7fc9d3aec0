// Clear sockets share one read buffer; a busy socket has a buffer of its own. No byte is ever overwritten.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isShared } from "../../../proxy/transport/read-buffer.ts";
import type { Receiver } from "../../../proxy/transport/index.ts";
import { accepted } from "../../support/transport/connections.ts";
import { spliced } from "../../support/transport/spliced.ts";

/** Bytes of which each group of four encodes its offset and its stream. */
function pattern(stream: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 4) bytes.writeUInt32BE(((stream << 28) | (at / 4)) >>> 0, at);
  return bytes;
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Reads until the peer has sent FIN, and pauses for `rest` ms after each chunk where `rest` is not 0. */
async function readAll(socket: Socket, rest = 0): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (rest === 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), rest);
  });
  socket.resume();
  await Promise.race([once(socket, "end"), once(socket, "close")]);
  return Buffer.concat(chunks);
}

const SIZE = 8_000_000;

test("two concurrent busy splices never mix their bytes", async () => {
  const splices = await Promise.all([spliced(), spliced()]);
  const routes = splices.flatMap(({ client, upstream }) => [
    { from: client, to: upstream },
    { from: upstream, to: client },
  ]);
  const read = routes.map(({ from, to }, stream) => {
    from.end(pattern(stream, SIZE));
    return readAll(to);
  });
  for (const [stream, bytes] of (await Promise.all(read)).entries()) {
    assert.equal(hash(bytes), hash(pattern(stream, SIZE)), `stream ${stream}`);
  }
});

test("a chunk stays intact while its reader pauses and another socket is busy", async () => {
  const [slow, busy] = await Promise.all([spliced(), spliced()]);
  slow.client.end(pattern(1, SIZE));
  slow.upstream.end();
  busy.client.end(pattern(2, SIZE));
  busy.upstream.end();
  await sleep(50);
  const [late, early] = await Promise.all([readAll(slow.upstream, 1), readAll(busy.upstream)]);
  assert.equal(hash(late), hash(pattern(1, SIZE)));
  assert.equal(hash(early), hash(pattern(2, SIZE)));
});

test("a chunk stays intact when the splice is stopped while the sender keeps sending", async () => {
  const { client, upstream, stop } = await spliced();
  client.on("error", () => {});
  const sent = pattern(3, 4 * SIZE);
  client.write(sent);
  await sleep(200);
  stop();
  await sleep(50);
  const read = await readAll(upstream);
  assert.ok(read.length > 0 && read.length < sent.length);
  assert.equal(hash(read), hash(sent.subarray(0, read.length)));
  client.destroy();
});

describe("a socket", () => {
  test("has a buffer of its own while it is busy, and shares one again when it is idle", async () => {
    const { peer, connection } = await accepted();
    const shares: boolean[] = [];
    let total = 0;
    let arrived = (): void => {};
    const receiver: Receiver = {
      received(bytes) {
        shares.push(isShared(bytes));
        total += bytes.length;
        arrived();
      },
      drained() {},
      ended() {},
      closed() {},
    };
    connection.receiver = receiver;
    connection.resume();
    const send = async (bytes: Buffer | string): Promise<void> => {
      const target = total + bytes.length;
      peer.write(bytes);
      while (total < target) await new Promise<void>((resolve) => (arrived = resolve));
    };
    await send("small");
    assert.deepEqual(shares, [true]);
    await send(Buffer.alloc(SIZE));
    assert.ok(shares.includes(false), "a busy socket has its own buffer");
    await send("small");
    await send("small");
    assert.equal(shares.at(-1), true);
    await send(Buffer.alloc(SIZE));
    assert.ok(shares.slice(-50).includes(false), "the socket may become busy again");
    peer.destroy();
    connection.destroy();
  });
});
