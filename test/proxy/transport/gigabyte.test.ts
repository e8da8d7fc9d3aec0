// Large transfers: a GiB in each direction, or as many MiB as POSTERN_TEST_MIB sets.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { UNDER, spliced } from "../../support/transport/spliced.ts";

const MIB = 1024 * 1024;
const COUNT = Number(process.env["POSTERN_TEST_MIB"] ?? 1024);
/** Bytes that may be queued for one side: the size of one read. */
const MOST_QUEUED = 65_536;

const BLOCK = randomBytes(MIB);

/** Sends COUNT blocks, each different, then FIN. */
async function send(socket: Socket): Promise<string> {
  const hash = createHash("sha256");
  for (let count = 0; count < COUNT; count++) {
    const block = Buffer.from(BLOCK);
    block.writeUInt32BE(count);
    hash.update(block);
    if (!socket.write(block)) await once(socket, "drain");
  }
  socket.end();
  return hash.digest("hex");
}

/** @param rest turns of the event loop that the reader pauses for after every 4 MiB */
async function receive(socket: Socket, rest: number, received: () => void): Promise<string> {
  const hash = createHash("sha256");
  let since = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    hash.update(chunk);
    received();
    since += chunk.length;
    if (since < 4 * MIB) continue;
    since = 0;
    for (let turns = 0; turns < rest; turns++) await turn();
  }
  return hash.digest("hex");
}

test(`${COUNT} MiB in each direction through TLS on both sides arrive unchanged at a slow reader`, async () => {
  const { client, upstream, towards, done } = await spliced(UNDER["under TLS"]);
  let most = 0;
  const look = (): void => {
    most = Math.max(most, towards.client.queued, towards.upstream.queued);
  };
  const [sentUp, sentDown, gotUp, gotDown] = await Promise.all([
    send(client),
    send(upstream),
    receive(upstream, 0, look),
    receive(client, 20, look),
  ]);
  assert.equal(gotUp, sentUp);
  assert.equal(gotDown, sentDown);
  const { toUpstream, toClient, end } = await done;
  assert.deepEqual([toUpstream, toClient], [COUNT * MIB, COUNT * MIB]);
  assert.ok("error" in end && end.error === null);
  assert.ok(most <= MOST_QUEUED, `${most} bytes are queued for one side`);
});
