import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LookupClient } from "../../../proxy/lookup/index.ts";
import { InvalidReply } from "../../../proxy/lookup/reply.ts";
import { lookUp, lookupRequest, lookupSettings } from "../../support/proxy/lookup-request.ts";
import { ScriptedEndpoint, cannotTell, no, yes } from "../../support/peers/scripted-endpoint.ts";

const neverAborted = new AbortController().signal;

/** A lookup that the client never shares with another lookup. */
const request = lookupRequest({ credentials: { method: "external", login: "anna" } });

const settings = lookupSettings();

function createClient(endpoint: ScriptedEndpoint) {
  let now = 0;
  const client = new LookupClient(endpoint, settings, { now: () => now });
  const ask = (signal = neverAborted) => lookUp(client, request, signal);
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

test("an endpoint that fails five times in a row gets one request a second, until a request succeeds", async () => {
  const endpoint = new ScriptedEndpoint(() => cannotTell());
  const { ask, times, at } = createClient(endpoint);
  await times(20);
  assert.equal(endpoint.asked.length, 5);
  const reply = await ask();
  assert.ok(reply.kind === "unavailable");
  assert.equal(reply.why, "is not asked after 5 failures in a row, the last one: is away");
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

test("one request at a time probes a failed endpoint, and other lookups fail during the probe", async () => {
  const endpoint = new ScriptedEndpoint(() => cannotTell());
  const { ask, times, at } = createClient(endpoint);
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

describe("the count of failures in a row", () => {
  test("an answer between failures resets the count", async () => {
    const endpoint = new ScriptedEndpoint();
    const { times } = createClient(endpoint);
    endpoint.answers = () => (endpoint.asked.length % 5 === 0 ? no() : cannotTell());
    await times(50);
    assert.equal(endpoint.asked.length, 50);
  });

  test("errors that the endpoint reports do not count, because a client may have caused them", async () => {
    const endpoint = new ScriptedEndpoint(() => new InvalidReply("is broken"));
    await createClient(endpoint).times(50);
    assert.equal(endpoint.asked.length, 50);
  });

  test("lookups of clients that leave do not count", async () => {
    const endpoint = new ScriptedEndpoint();
    const { ask } = createClient(endpoint);
    for (let count = 0; count < 10; count++) {
      const leaving = new AbortController();
      const asked = ask(leaving.signal);
      leaving.abort(new Error("left"));
      await assert.rejects(asked, /left/);
    }
    assert.equal(endpoint.asked.length, 10);
  });
});

test("lookups that time out count as failures of the endpoint", async () => {
  const endpoint = new ScriptedEndpoint();
  const { ask } = createClient(endpoint);
  for (let count = 0; count < 5; count++) {
    const waiting = new AbortController();
    const asked = ask(waiting.signal);
    waiting.abort(new DOMException("timed out", "TimeoutError"));
    await assert.rejects(asked);
  }
  assert.equal((await ask()).kind, "unavailable");
  assert.equal(endpoint.asked.length, 5);
});
