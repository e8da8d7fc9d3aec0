import assert from "node:assert/strict";
import { type Hash, createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { type TLSSocket, connect as connectTls } from "node:tls";
import type { SpliceReport } from "../../../proxy/transport/index.ts";
import { accepted, dialled, rest, transport } from "../../support/connections.ts";
import { serverTls } from "../../support/server-tls.ts";

type Ends = {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly queued: () => number;
  readonly stop: () => void;
  readonly done: Promise<SpliceReport>;
};

const LIMITS = { idle: 3_600_000, halfClosed: 3_600_000 };

async function splice(limits = LIMITS): Promise<Ends> {
  const [from, to] = await Promise.all([accepted(), dialled()]);
  const done = Promise.withResolvers<SpliceReport>();
  const spliced = transport.splice(from.connection, to.connection, limits, done.resolve);
  return {
    client: from.peer,
    upstream: to.peer,
    queued: () => from.connection.queued + to.connection.queued,
    stop: () => spliced.stop(),
    done: done.promise,
  };
}

/** The same with TLS towards the client. */
async function spliceTls(): Promise<Ends> {
  const [from, to, tls] = await Promise.all([accepted(), dialled(), serverTls()]);
  const client: TLSSocket = connectTls({ socket: from.peer, rejectUnauthorized: false });
  await Promise.all([from.connection.acceptTls(tls), once(client, "secureConnect")]);
  const done = Promise.withResolvers<SpliceReport>();
  const spliced = transport.splice(from.connection, to.connection, LIMITS, done.resolve);
  return {
    client,
    upstream: to.peer,
    queued: () => from.connection.queued + to.connection.queued,
    stop: () => spliced.stop(),
    done: done.promise,
  };
}

const BLOCK = randomBytes(1_000_003);

/** Sends so many blocks, each different, then FIN. */
async function send(socket: Socket, blocks: number): Promise<string> {
  const hash = createHash("sha256");
  for (let count = 0; count < blocks; count++) {
    const block = Buffer.concat([Buffer.from([count]), BLOCK.subarray(count)]);
    hash.update(block);
    if (!socket.write(block)) await once(socket, "drain");
  }
  socket.end();
  return hash.digest("hex");
}

async function receive(socket: Socket): Promise<string> {
  const hash: Hash = createHash("sha256");
  socket.on("data", (chunk: Buffer) => hash.update(chunk));
  socket.resume();
  await once(socket, "end");
  return hash.digest("hex");
}

for (const [name, make] of [
  ["in the clear", splice],
  ["under TLS", spliceTls],
] as const) {
  test(`50 MB each way at once arrive as they were, ${name}`, async () => {
    const { client, upstream, done } = await make();
    const [sentUp, sentDown, gotUp, gotDown] = await Promise.all([
      send(client, 50),
      send(upstream, 50),
      receive(upstream),
      receive(client),
    ]);
    assert.equal(gotUp, sentUp);
    assert.equal(gotDown, sentDown);
    const { toUpstream, toClient } = await done;
    assert.ok(toUpstream > 49_000_000 && toUpstream === toClient);
  });

  test(`a reader that stops makes the sender stop, and little is held, ${name}`, async () => {
    const { client, upstream, queued, done } = await make();
    for (const [sender, reader] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      reader.pause();
      let got = 0;
      reader.on("data", (chunk: Buffer) => (got += chunk.length));
      reader.pause();
      const before = sender.bytesWritten;
      for (let count = 0; count < 64; count++) sender.write(BLOCK);
      let taken = -1;
      for (let quiet = 0; quiet < 10; quiet++) {
        const now = sender.writableLength;
        if (now !== taken) quiet = 0;
        taken = now;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.ok(taken > 20_000_000, `${taken} bytes are left at the sender`);
      assert.ok(queued() < 2_000_000, `${queued()} bytes are held`);
      reader.resume();
      while (got < 64 * BLOCK.length) await once(reader, "data");
      assert.equal(got, 64 * BLOCK.length);
      assert.ok(sender.bytesWritten - before >= got);
    }
    client.end();
    upstream.end();
    await done;
  });

  test(`each side may send FIN first and still be answered, ${name}`, async () => {
    for (const first of ["client", "upstream"] as const) {
      const ends = await make();
      const [early, late] =
        first === "client" ? [ends.client, ends.upstream] : [ends.upstream, ends.client];
      early.end("question");
      assert.equal(await rest(late), "question");
      late.end("answer");
      assert.equal(await rest(early), "answer");
      const report = await ends.done;
      assert.deepEqual(report.end, { by: first === "client" ? "upstream" : "client", error: null });
    }
  });
}

test("a FIN that came before the splice is passed on", async () => {
  const [from, to] = await Promise.all([accepted(), dialled()]);
  from.connection.resume();
  from.peer.end();
  while (!from.connection.finished) await new Promise(setImmediate);
  const done = new Promise((resolve) =>
    transport.splice(from.connection, to.connection, LIMITS, resolve),
  );
  assert.equal(await rest(to.peer), "");
  to.peer.end("answer");
  assert.equal(await rest(from.peer), "answer");
  await done;
});

describe("a side that breaks", () => {
  for (const side of ["client", "upstream"] as const) {
    test(`ends the other, which still gets what was under way: ${side}`, async () => {
      const ends = await splice();
      const [broken, other] =
        side === "client" ? [ends.client, ends.upstream] : [ends.upstream, ends.client];
      broken.write("last words");
      const got = rest(other);
      await once(other, "data");
      broken.resetAndDestroy();
      assert.equal(await got, "last words");
      const { end } = await ends.done;
      assert.ok(end.by === side && end.error !== null);
      other.destroy();
    });
  }
});

test("silence both ways ends it; a byte either way does not let it end", async () => {
  const { client, upstream, done } = await splice({ idle: 600, halfClosed: 3_600_000 });
  const start = performance.now();
  upstream.resume();
  client.resume();
  for (let count = 0; count < 6; count++) {
    (count % 2 === 0 ? client : upstream).write("x");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const report = await done;
  assert.deepEqual(report, { toUpstream: 3, toClient: 3, end: { by: "idle" } });
  assert.ok(performance.now() - start >= 1000 + 600);
});

test("when one side has ended, the other's silence is borne for less long", async () => {
  const { client, upstream, done } = await splice({ idle: 3_600_000, halfClosed: 300 });
  client.resume();
  client.end();
  await rest(upstream);
  assert.deepEqual((await done).end, { by: "idle" });
});

test("it can be stopped from outside", async () => {
  const { client, upstream, stop, done } = await splice();
  client.write("hello");
  upstream.resume();
  await once(upstream, "data");
  stop();
  assert.deepEqual(await done, { toUpstream: 5, toClient: 0, end: { by: "stop" } });
  await Promise.all([rest(client), rest(upstream)]);
  client.end();
  upstream.end();
});
