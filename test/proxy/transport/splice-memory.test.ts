import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { TLSSocket, connect as connectTls, createSecureContext } from "node:tls";
import { setTimeout as pass } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { selfSigned } from "../../support/certificates/certificate.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { UNDER, type Under } from "../../support/transport/spliced.ts";
import type { Errand } from "../../support/transport/splicing-thread.ts";

const SESSIONS = 6;
/** Bytes that a session may hold, as docs/differences.md says; LITTLE allows for memory beside the bytes. */
const MOST = 256 * 1024;
const LITTLE = 16 * 1024;
/** More than the kernel buffers for one direction of a session. */
const FLOOD = Buffer.alloc(32_000_000, "flood");

for (const [name, under] of Object.entries(UNDER)) {
  test(`sessions with peers that never read hold at most 256 KiB each, ${name}`, async (t) => {
    const upstreams = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
    await once(upstreams, "listening");
    const [from] = await freePorts(1);
    const { port: to } = upstreams.address() as AddressInfo;
    const workerData: Errand = { from: from!, to, under };
    const thread = new Worker(
      new URL("../../support/transport/splicing-thread.ts", import.meta.url),
      {
        workerData,
      },
    );
    const peers: Socket[] = [];
    t.after(async () => {
      for (const peer of peers) peer.destroy();
      upstreams.close();
      await thread.terminate();
    });
    await once(thread, "message");
    const held = async (): Promise<number> => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      thread.postMessage("weigh");
      const [bytes] = (await once(thread, "message")) as [number];
      return bytes;
    };
    for (let count = 0; count < SESSIONS; count++) {
      peers.push(...(await session(from!, upstreams, under, once(thread, "message"))));
    }
    const before = await held();
    for (const peer of peers) peer.write(FLOOD);
    await standstill(peers);
    const each = ((await held()) - before) / SESSIONS;
    t.diagnostic(`${Math.round(each / 1024)} KiB`);
    assert.ok(each > 16_384, `${each} bytes: nothing is held`);
    assert.ok(each <= MOST + LITTLE, `${each} bytes`);
  });
}

async function session(
  from: number,
  upstreams: ReturnType<typeof createServer>,
  under: Under,
  spliced: Promise<unknown>,
): Promise<Socket[]> {
  const arrived = once(upstreams, "connection") as Promise<[Socket]>;
  const wire = connect(from, "127.0.0.1");
  const client = under.client ? connectTls({ socket: wire, rejectUnauthorized: false }) : wire;
  const [far] = await arrived;
  const upstream = under.upstream
    ? new TLSSocket(far, { isServer: true, secureContext: await context() })
    : far;
  await spliced;
  return [client.pause(), upstream.pause()];
}

async function context(): Promise<ReturnType<typeof createSecureContext>> {
  const { certificate, key } = await selfSigned();
  return createSecureContext({ cert: certificate, key });
}

/** Waits until no byte has moved for 15 polls. */
async function standstill(peers: readonly Socket[]): Promise<void> {
  let last = -1;
  for (let quiet = 0; quiet < 15; quiet++) {
    const left = peers.reduce((sum, { writableLength }) => sum + writableLength, 0);
    const inKernel = peers.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
    if (left + inKernel !== last) quiet = 0;
    last = left + inKernel;
    await pass(20);
  }
}
