// The deadlines of a splice and its report of the end, on a clock that the test turns.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Deadline, Expiring, SpliceReport } from "../../../proxy/transport/connection.ts";
import { SocketConnection } from "../../../proxy/transport/socket-connection.ts";
import { SocketSplice } from "../../../proxy/transport/splice.ts";
import { accepted, dialled, rest } from "../../support/transport/connections.ts";
import { eventually } from "../../support/eventually.ts";
import { sides } from "../../support/transport/spliced.ts";

const LIMITS = { idle: 5000, halfClosed: 70 };

/** A deadline that the test lets expire. */
class Clock implements Deadline {
  /** Each time that was set, ms, with the bytes that had moved by then. */
  readonly sets: { readonly ms: number; readonly bytes: number }[] = [];
  isSet = false;
  owner: Expiring | null = null;
  splice: SocketSplice | null = null;

  set(ms: number): void {
    const { toClient = 0, toUpstream = 0 } = this.splice ?? {};
    this.sets.push({ ms, bytes: toClient + toUpstream });
    this.isSet = true;
  }

  clear(): void {
    this.isSet = false;
  }

  get ms(): number | null {
    return this.isSet ? (this.sets.at(-1)?.ms ?? null) : null;
  }

  expire(): void {
    assert.ok(this.isSet);
    this.isSet = false;
    this.owner?.expired();
  }
}

interface Ends {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly towards: { readonly client: SocketConnection; readonly upstream: SocketConnection };
  readonly clock: Clock;
  readonly reports: readonly SpliceReport[];
  readonly done: Promise<SpliceReport>;
}

async function clocked(): Promise<Ends> {
  const [from, to] = await Promise.all([accepted(), dialled()]);
  const { connection: client } = from;
  const { connection: upstream } = to;
  assert.ok(client instanceof SocketConnection && upstream instanceof SocketConnection);
  const clock = new Clock();
  const reports: SpliceReport[] = [];
  const done = Promise.withResolvers<SpliceReport>();
  const deadlines = {
    deadline: (owner: Expiring): Deadline => {
      clock.owner = owner;
      return clock;
    },
  };
  const splice = new SocketSplice(client, upstream, LIMITS, deadlines, {
    spliced: (report) => {
      reports.push(report);
      done.resolve(report);
    },
  });
  clock.splice = splice;
  splice.start();
  for (const peer of [from.peer, to.peer]) peer.on("error", () => {});
  return {
    client: from.peer,
    upstream: to.peer,
    towards: { client, upstream },
    clock,
    reports,
    done: done.promise,
  };
}

const BLOCK = Buffer.alloc(16_384, "x");

/** Sends until the splice holds bytes, because the peer reads nothing. @returns the bytes sent */
async function fill(sender: Socket, ours: { readonly queued: number }): Promise<number> {
  let sent = 0;
  while (ours.queued === 0) {
    sender.write(BLOCK);
    sent += BLOCK.length;
    for (let turns = 0; turns < 3; turns++) await turn();
  }
  return sent;
}

/** A side that reads nothing has sent FIN, and the splice holds bytes for it. @returns the bytes sent to it */
async function finishedSlowReader(ends: Ends, first: "client" | "upstream"): Promise<number> {
  const [reader, sender] = sides(ends, first);
  const [towards] = sides(ends.towards, first);
  reader.pause();
  const sent = await fill(sender, towards);
  reader.end();
  await eventually("the FIN has arrived", () => towards.finished);
  return sent;
}

/** A side that reads nothing, and for which the splice holds bytes, whose sender has reset. */
async function brokenSender(ends: Ends, first: "client" | "upstream"): Promise<void> {
  const [reader, sender] = sides(ends, first);
  reader.pause();
  await fill(sender, sides(ends.towards, first)[0]);
  sender.resetAndDestroy();
  // The splice reads nothing from the sender now, and hears of the reset when it writes.
  await eventually("the reset is known", () => {
    reader.write("x");
    return ends.clock.ms === LIMITS.halfClosed;
  });
  assert.deepEqual(ends.reports, []);
}

for (const first of ["client", "upstream"] as const) {
  const second = first === "client" ? "upstream" : "client";

  test(`a slow ${first} that has sent FIN has the whole time to read, and the shorter time once it has read all`, async () => {
    const ends = await clocked();
    const [reader, sender] = sides(ends, first);
    const sent = await finishedSlowReader(ends, first);
    assert.equal(ends.clock.ms, LIMITS.idle);
    let got = 0;
    reader.on("data", (chunk: Buffer) => (got += chunk.length));
    reader.resume();
    while (got < sent) await once(reader, "data");
    await eventually("the shorter time runs", () => ends.clock.ms === LIMITS.halfClosed);
    sender.end();
    sender.resume();
    assert.deepEqual((await ends.done).end, { by: second, error: null });
    assert.equal(ends.clock.isSet, false);
    assert.equal(got, sent);
  });

  test(`a slow ${first} that has sent FIN and reads nothing ends by its silence`, async () => {
    const ends = await clocked();
    await finishedSlowReader(ends, first);
    ends.clock.expire();
    assert.deepEqual((await ends.done).end, { by: "idle" });
    assert.equal(ends.reports.length, 1);
    for (const peer of [ends.client, ends.upstream]) peer.destroy();
  });

  test(`the ${second} resets, and the ${first} reads nothing: the report tells of the reset, after the shorter time`, async () => {
    const ends = await clocked();
    await brokenSender(ends, first);
    ends.clock.expire();
    const { end } = await ends.done;
    assert.ok(end.by === second && "error" in end && end.error !== null, JSON.stringify(end));
    sides(ends, first)[0].destroy();
  });

  for (const [how, leave] of [
    ["sends FIN", "end"],
    ["resets too", "resetAndDestroy"],
  ] as const) {
    test(`the ${second} resets, and then the slow ${first} ${how}: the report tells of the first reset`, async () => {
      const ends = await clocked();
      await brokenSender(ends, first);
      const [reader] = sides(ends, first);
      reader[leave]();
      reader.resume();
      const { end } = await ends.done;
      assert.ok(end.by === second && "error" in end && end.error !== null, JSON.stringify(end));
      assert.equal(ends.reports.length, 1);
    });
  }

  test(`the ${first} sends FIN, and then the ${second} resets: the report tells of the reset`, async () => {
    const ends = await clocked();
    const [early, late] = sides(ends, first);
    early.end();
    assert.equal(await rest(late), "");
    assert.equal(ends.clock.ms, LIMITS.halfClosed);
    late.resetAndDestroy();
    const { end } = await ends.done;
    assert.ok(end.by === second && "error" in end, JSON.stringify(end));
    assert.match(String(end.error), /ECONNRESET/);
    early.destroy();
  });

  test(`a ${first} that reads what was held for it has the whole time again, although no new byte has come`, async () => {
    const ends = await clocked();
    const [reader, sender] = sides(ends, first);
    reader.pause();
    const sent = await fill(sender, sides(ends.towards, first)[0]);
    let got = 0;
    reader.on("data", (chunk: Buffer) => (got += chunk.length));
    reader.resume();
    while (got < sent) await once(reader, "data");
    const { sets } = ends.clock;
    const drains = sets.filter(({ bytes }, index) => index > 0 && bytes === sets[index - 1]?.bytes);
    assert.ok(drains.length > 0, JSON.stringify(sets));
    assert.ok(sets.every(({ ms }) => ms === LIMITS.idle));
    for (const peer of [reader, sender]) peer.destroy();
    await ends.done;
  });
}
