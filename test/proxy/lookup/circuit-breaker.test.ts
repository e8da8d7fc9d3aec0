import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CircuitBreaker } from "../../../proxy/lookup/index.ts";
import { ScriptedResponder, cannotTell, no, yes } from "../../support/scripted-responder.ts";

const forever = new AbortController().signal;

function breakerOf(endpoint: ScriptedResponder) {
  let now = 0;
  const breaker = new CircuitBreaker(endpoint, () => now);
  const ask = (signal = forever) => breaker.ask("GET /auth", signal);
  return {
    ask,
    times: async (count: number) => {
      for (let index = 0; index < count; index++) await ask();
    },
    at: (ms: number) => {
      now = ms;
    },
  };
}

test("an endpoint that is away five times in a row is asked once a second, until it answers", async () => {
  const endpoint = new ScriptedResponder(() => cannotTell());
  const { ask, times, at } = breakerOf(endpoint);
  await times(20);
  assert.equal(endpoint.asked.length, 5);
  const said = await ask();
  assert.ok(said.kind === "unavailable");
  assert.equal(said.why, "is not asked after 5 failures in a row, the last one: is away");
  at(999);
  await times(5);
  assert.equal(endpoint.asked.length, 5);
  at(1000);
  await times(5);
  assert.equal(endpoint.asked.length, 6);
  at(2000);
  endpoint.answers = () => yes();
  assert.deepEqual(await ask(), yes());
  await times(10);
  assert.equal(endpoint.asked.length, 17);
});

test("one question at a time finds out whether it is back, and those of others fail meanwhile", async () => {
  const endpoint = new ScriptedResponder(() => cannotTell());
  const { ask, times, at } = breakerOf(endpoint);
  await times(5);
  at(1000);
  endpoint.answers = null;
  const probe = ask();
  assert.equal((await ask()).kind, "unavailable");
  endpoint.asked[5]!.answer(no());
  assert.equal((await probe).kind, "refused");
  endpoint.answers = () => yes();
  assert.equal((await ask()).kind, "route");
});

describe("what says nothing about the endpoint does not count:", () => {
  test("failures with an answer in between", async () => {
    const endpoint = new ScriptedResponder();
    const { times } = breakerOf(endpoint);
    endpoint.answers = () => (endpoint.asked.length % 5 === 0 ? no() : cannotTell());
    await times(50);
    assert.equal(endpoint.asked.length, 50);
  });

  test("errors that it tells, which clients may have caused", async () => {
    const endpoint = new ScriptedResponder(() => cannotTell(true));
    await breakerOf(endpoint).times(50);
    assert.equal(endpoint.asked.length, 50);
  });

  test("clients that leave", async () => {
    const endpoint = new ScriptedResponder();
    const { ask } = breakerOf(endpoint);
    for (let count = 0; count < 10; count++) {
      const leaving = new AbortController();
      const asked = ask(leaving.signal);
      leaving.abort(new Error("left"));
      await assert.rejects(asked, /left/);
    }
    assert.equal(endpoint.asked.length, 10);
  });
});

test("clients that wait in vain count", async () => {
  const endpoint = new ScriptedResponder();
  const { ask } = breakerOf(endpoint);
  for (let count = 0; count < 5; count++) {
    const waiting = new AbortController();
    const asked = ask(waiting.signal);
    waiting.abort(new DOMException("timed out", "TimeoutError"));
    await assert.rejects(asked);
  }
  assert.equal((await ask()).kind, "unavailable");
  assert.equal(endpoint.asked.length, 5);
});
