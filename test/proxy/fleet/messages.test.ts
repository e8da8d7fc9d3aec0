import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readMessage } from "../../../proxy/fleet/messages.ts";
import { MAX_NAME_LENGTH, MAX_NAMES } from "../../../shared/fleet.ts";
import { inputs } from "../../support/property.ts";

const number = fc.nat();
const name = fc.stringMatching(/^[a-z*@.\u00e0-\u00ff]{1,40}$/);

test("a message of the worker is read as it was written", () => {
  const options = { noNullPrototype: true };
  const names = fc.array(name, { maxLength: MAX_NAMES });
  const id = fc.constant("0123456789abcdefghij_w");
  const user = fc.option(fc.record({ id, version: fc.integer({ min: 1 }) }, options));
  const bookmark = fc.option(fc.stringMatching(/^[!-~]{1,128}$/));
  const kick = fc.record({ kind: fc.constant("kick"), number, names, user, bookmark }, options);
  const complete = fc.boolean();
  const heard = fc.record({ kind: fc.constant("heard"), last: number, complete }, options);
  fc.assert(
    fc.property(fc.oneof(kick, heard), (message) => {
      assert.deepEqual(readMessage(JSON.stringify(message)), message);
    }),
    inputs(),
  );
});

test("any data is a message within its bounds, or none", () => {
  const value = fc.oneof(fc.jsonValue(), fc.nat(), fc.boolean(), fc.array(fc.string()));
  const likely = fc.record(
    {
      kind: fc.constantFrom("kick", "heard", "other", 1),
      number: value,
      names: value,
      last: value,
      complete: value,
    },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    likely.map((said) => JSON.stringify(said)),
  );
  fc.assert(
    fc.property(fc.oneof(text, fc.anything()), (said) => {
      const message = readMessage(said);
      if (message?.kind !== "kick") return;
      assert.ok(Number.isSafeInteger(message.number) && message.number >= 0);
      assert.ok(message.names.length <= MAX_NAMES);
      for (const one of message.names) {
        assert.ok(one.length > 0 && one.length <= MAX_NAME_LENGTH);
        assert.doesNotMatch(one, /\p{Cc}/u);
      }
    }),
    inputs(),
  );
});

describe("other data", () => {
  for (const said of [
    "",
    "ping",
    "null",
    "[]",
    '"kick"',
    "{}",
    '{"kind":null}',
    '{"kind":"kick","number":1.5,"names":[]}',
    '{"kind":"kick","number":1,"names":"alice"}',
    '{"kind":"heard","last":"1","complete":true}',
    '{"kind":"heard","last":1}',
    `{"kind":"greet","whom":"${"x".repeat(70_000)}"}`,
  ]) {
    test(`is not a message: ${said.slice(0, 50)}`, () => {
      assert.equal(readMessage(said), null);
    });
  }
  test("is not a message: bytes", () => assert.equal(readMessage(new ArrayBuffer(4)), null));
});
