import assert from "node:assert/strict";
import { type Hash, createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { accepted, dialled, rest, transport } from "../../support/transport/connections.ts";
import { eventually } from "../../support/eventually.ts";
import { UNDER, sides, spliced } from "../../support/transport/spliced.ts";

const BLOCK = randomBytes(1_000_003);

/** Sends this many blocks, each different, then FIN. */
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

for (const [name, under] of Object.entries(UNDER)) {
  test(`20 MB in each direction arrive unchanged, ${name}`, async () => {
    const { client, upstream, done } = await spliced(under);
    const [sentUp, sentDown, gotUp, gotDown] = await Promise.all([
      send(client, 20),
      send(upstream, 20),
      receive(upstream),
      receive(client),
    ]);
    assert.equal(gotUp, sentUp);
    assert.equal(gotDown, sentDown);
    const { toUpstream, toClient } = await done;
    assert.ok(toUpstream > 19_000_000 && toUpstream === toClient);
  });

  test(`a reader that pauses stops the sender, and the splice holds at most 64 KiB, ${name}`, async () => {
    const { client, upstream, towards, done } = await spliced(under);
    const queued = (): number => towards.client.queued + towards.upstream.queued;
    for (const [sender, reader] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      reader.pause();
      let got = 0;
      reader.on("data", (chunk: Buffer) => (got += chunk.length));
      reader.pause();
      const before = sender.bytesWritten;
      for (let count = 0; count < 32; count++) sender.write(BLOCK);
      let taken = -1;
      for (let quiet = 0; quiet < 10; quiet++) {
        const now = sender.writableLength;
        if (now !== taken) quiet = 0;
        taken = now;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.ok(taken > 10_000_000, `${taken} bytes are left at the sender`);
      assert.ok(queued() <= 65_536, `${queued()} bytes are held`);
      reader.resume();
      while (got < 32 * BLOCK.length) await once(reader, "data");
      assert.equal(got, 32 * BLOCK.length);
      assert.ok(sender.bytesWritten - before >= got);
    }
    client.end();
    upstream.end();
    await done;
  });

  test(`a side that has sent FIN still receives an answer, ${name}`, async () => {
    for (const first of ["client", "upstream"] as const) {
      const ends = await spliced(under);
      const [early, late] = sides(ends, first);
      early.end("question");
      assert.equal(await rest(late), "question");
      late.end("answer");
      assert.equal(await rest(early), "answer");
      const report = await ends.done;
      assert.deepEqual(report.end, { by: first === "client" ? "upstream" : "client", error: null });
    }
  });
}

test("a FIN from before the splice is passed on", async () => {
  const [from, to] = await Promise.all([accepted(), dialled()]);
  from.connection.resume();
  from.peer.end();
  await eventually("the FIN has arrived", () => from.connection.finished);
  const done = new Promise((resolve) =>
    transport.splice(
      from.connection,
      to.connection,
      { idle: 3_600_000, halfClosed: 3_600_000 },
      { spliced: resolve },
    ),
  );
  assert.equal(await rest(to.peer), "");
  to.peer.end("answer");
  assert.equal(await rest(from.peer), "answer");
  await done;
});

/** The text that a socket receives before its connection is reset. */
function untilReset(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.once("end", () => reject(new Error("ended by FIN")));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET") resolve(text);
      else reject(error);
    });
    socket.resume();
  });
}

for (const [name, under] of Object.entries(UNDER)) {
  for (const first of ["client", "upstream"] as const) {
    describe(`${first} resets, ${name}: the other side`, () => {
      test("is reset at once where no bytes are in flight", async () => {
        const ends = await spliced(under);
        const [, other] = sides(ends, first);
        const [broken] = sides(ends.wires, first);
        const got = untilReset(other);
        broken.resetAndDestroy();
        assert.equal(await got, "");
        const { end } = await ends.done;
        assert.ok(end.by === first && /ECONNRESET/.test(String(end.error)));
      });

      test("receives the bytes from before the reset, and is reset afterwards", async (t) => {
        t.mock.timers.enable({ apis: ["setTimeout"] });
        const ends = await spliced(under);
        const [broken, other] = sides(ends, first);
        broken.write("last words");
        const got = untilReset(other);
        await once(other, "data");
        sides(ends.wires, first)[0].resetAndDestroy();
        const report = await ends.done;
        assert.ok(report.end.by === first && "error" in report.end && report.end.error !== null);
        assert.equal(report.toUpstream + report.toClient, "last words".length);
        t.mock.timers.tick(2000);
        assert.equal(await got, "last words");
      });
    });
  }
}

/** Sends until the splice holds bytes, because the peer reads nothing. @returns the bytes sent */
async function fill(sender: Socket, ours: { readonly queued: number }): Promise<number> {
  let sent = 0;
  while (ours.queued === 0) {
    sender.write(BLOCK.subarray(0, 16_384));
    sent += 16_384;
    for (let turns = 0; turns < 3; turns++) await turn();
  }
  return sent;
}

for (const first of ["client", "upstream"] as const) {
  test(`a slow reader receives all bytes after both sides have sent FIN, however slow the reader is: ${first}`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const ends = await spliced();
    const [reader, sender] = sides(ends, first);
    reader.pause();
    const sent = await fill(sender, sides(ends.towards, first)[0]);
    reader.end();
    sender.end();
    assert.equal(await rest(sender), "");
    for (let turns = 0; turns < 100; turns++) await turn();
    // Longer than a closed connection may linger.
    t.mock.timers.tick(60_000);
    assert.equal((await rest(reader)).length, sent);
    await ends.done;
  });

  test(`a slow reader receives the bytes that the splice read before the sender's reset: ${first}`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const ends = await spliced();
    const [reader, sender] = sides(ends, first);
    reader.pause();
    const sent = await fill(sender, sides(ends.towards, first)[0]);
    sender.resetAndDestroy();
    for (let turns = 0; turns < 100; turns++) await turn();
    t.mock.timers.tick(60_000);
    const got = untilReset(reader);
    await ends.done;
    // The splice delays its reset so that the last bytes arrive; this process reads them in these turns.
    for (let turns = 0; turns < 100; turns++) await turn();
    t.mock.timers.tick(2000);
    assert.equal((await got).length, sent);
  });
}

test("silence in both directions ends a splice, and a byte in either direction restarts the idle timeout", async () => {
  const { client, upstream, done } = await spliced(undefined, { idle: 600, halfClosed: 3_600_000 });
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

test("silence ends a half-closed splice after the shorter timeout", async () => {
  const { client, upstream, done } = await spliced(undefined, { idle: 3_600_000, halfClosed: 300 });
  client.resume();
  client.end();
  await rest(upstream);
  assert.deepEqual((await done).end, { by: "idle" });
});

test("stop() ends a splice, and both connections receive FIN", async () => {
  const { client, upstream, stop, done } = await spliced();
  client.write("hello");
  upstream.resume();
  await once(upstream, "data");
  stop();
  assert.deepEqual(await done, { toUpstream: 5, toClient: 0, end: { by: "stop" } });
  await Promise.all([rest(client), rest(upstream)]);
  client.end();
  upstream.end();
});
