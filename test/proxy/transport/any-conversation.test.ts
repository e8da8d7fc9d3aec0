// A splice delivers all bytes, for random pieces and pauses, and whichever side ends first.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { UNDER, spliced } from "../../support/transport/spliced.ts";
import { inputs } from "../../support/property.ts";

type Action =
  | { readonly do: "write"; readonly bytes: number }
  | { readonly do: "wait"; readonly turns: number }
  | { readonly do: "stop reading" | "read" | "end" };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: written(fc.integer({ min: 1, max: 100 })) },
  { weight: 4, arbitrary: written(fc.integer({ min: 1000, max: 200_000 })) },
  // The size of a TLS record, the size of a read in Node, and more than the kernel buffers.
  { weight: 2, arbitrary: written(fc.constantFrom(16_384, 16_385, 65_535, 65_536, 65_537)) },
  { weight: 1, arbitrary: written(fc.constant(8_000_000)) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait"), turns: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("stop reading", "read") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end") }) },
);

function written(bytes: fc.Arbitrary<number>): fc.Arbitrary<Action> {
  return fc.record({ do: fc.constant("write"), bytes });
}

/** A text without repetition, so that a lost, doubled or moved piece makes a difference. */
const TEXT = Buffer.alloc(8_100_000);
for (let at = 0; at + 4 <= TEXT.length; at += 4) TEXT.writeUInt32BE((at * 2_654_435) % 2 ** 32, at);

class Side {
  readonly #socket: Socket;
  readonly #sent: Buffer[] = [];
  readonly #got: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#got.push(chunk));
  }

  /** Takes the actions in order, then sends FIN and reads to the end. */
  async play(actions: readonly Action[]): Promise<void> {
    const ended = once(this.#socket, "end");
    for (const each of actions) {
      switch (each.do) {
        case "write":
          this.#write(each.bytes);
          break;
        case "wait":
          for (let turns = 0; turns < each.turns; turns++) await turn();
          break;
        case "stop reading":
          this.#socket.pause();
          break;
        case "read":
          this.#socket.resume();
          break;
        case "end":
          this.#socket.end();
          break;
      }
    }
    this.#socket.end();
    this.#socket.resume();
    await ended;
  }

  #write(bytes: number): void {
    if (!this.#socket.writable) return;
    const from = (this.#sent.length * 4099) % (TEXT.length - bytes);
    const piece = TEXT.subarray(from, from + bytes);
    this.#sent.push(piece);
    this.#socket.write(piece);
  }

  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  get got(): Buffer {
    return Buffer.concat(this.#got);
  }
}

for (const [name, under] of Object.entries(UNDER)) {
  test(`any conversation ${name} arrives whole and in order, and both sides see its end`, async () => {
    const actions = fc.array(action, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(actions, actions, async (clientActions, upstreamActions) => {
        const ends = await spliced(under);
        const client = new Side(ends.client);
        const upstream = new Side(ends.upstream);
        await Promise.all([client.play(clientActions), upstream.play(upstreamActions)]);
        const { toUpstream, toClient, end } = await ends.done;
        assert.ok(upstream.got.equals(client.sent), "from client to upstream");
        assert.ok(client.got.equals(upstream.sent), "from upstream to client");
        assert.deepEqual([toUpstream, toClient], [client.sent.length, upstream.sent.length]);
        assert.ok("error" in end && end.error === null);
      }),
      inputs(400),
    );
  });
}
