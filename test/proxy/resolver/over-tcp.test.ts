import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { exchange } from "../../../proxy/resolver/over-tcp.ts";
import { Input, MORE } from "../../../proxy/transport/index.ts";
import { inputs } from "../../support/property.ts";

/** Runs the exchange on an answer that arrives in pieces. @returns the bytes sent, and the message read */
function run(question: Uint8Array, pieces: readonly Uint8Array[]): [Uint8Array, Uint8Array | null] {
  const input = new Input();
  const script = exchange(question, input);
  const sent = script.next().value as Uint8Array;
  for (const piece of pieces) {
    input.append(piece);
    const step = script.next();
    if (step.done === true) return [sent, step.value];
    assert.equal(step.value, MORE);
  }
  return [sent, null];
}

test("a message is read behind its length, whatever pieces it arrives in, and no byte beyond it", () => {
  const message = fc.uint8Array({ minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(message, message, fc.array(fc.nat(310)), (question, answer, cuts) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      const bytes = Buffer.concat([length, answer, Buffer.from("more")]);
      const ends = [...cuts.toSorted((one, other) => one - other), bytes.length];
      const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
      const [sent, read] = run(question, pieces);
      assert.deepEqual(Buffer.from(sent.subarray(2)), Buffer.from(question));
      assert.equal(Buffer.from(sent).readUInt16BE(), question.length);
      assert.deepEqual(Buffer.from(read!), Buffer.from(answer));
    }),
    inputs(),
  );
});

test("a message that is announced as too long is not waited for", () => {
  assert.throws(() => run(Buffer.from("q"), [Buffer.of(0x40, 0x01)]), {
    message: "sent too long an answer",
  });
});
