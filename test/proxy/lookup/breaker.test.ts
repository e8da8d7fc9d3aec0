import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LookupClient } from "../../../proxy/lookup/index.ts";
import { lookUp, lookupRequest } from "../../support/lookup-request.ts";
import { ScriptedEndpoint, cannotTell, no, yes } from "../../support/scripted-endpoint.ts";

const forever = new AbortController().signal;

/** A lookup that is never shared with another one. */
const request = lookupRequest({ credentials: { method: "external", login: "anna" } });

const settings = {
  auth_http: { https: false, host: "e.test", port: 80, hostHeader: "e.test", uri: "/auth" },
  auth_http_keepalive: true,
  auth_http_pass_client_cert: false,
  auth_http_header: [],
  auth_http_cache: null,
};

function breakerOf(endpoint: ScriptedEndpoint) {
  let now = 0;
  const client = new LookupClient(endpoint, settings, { now: () => now });
  const ask = (signal = forever) => lookUp(client, request, signal);
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
  const endpoint = new ScriptedEndpoint(() => cannotTell());
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
  const endpoint = new ScriptedEndpoint(() => cannotTell());
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
    const endpoint = new ScriptedEndpoint();
    const { times } = breakerOf(endpoint);
    endpoint.answers = () => (endpoint.asked.length % 5 === 0 ? no() : cannotTell());
    await times(50);
    assert.equal(endpoint.asked.length, 50);
  });

  test("errors that it tells, which clients may have caused", async () => {
    const endpoint = new ScriptedEndpoint(() => cannotTell(true));
    await breakerOf(endpoint).times(50);
    assert.equal(endpoint.asked.length, 50);
  });

  test("clients that leave", async () => {
    const endpoint = new ScriptedEndpoint();
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
  const endpoint = new ScriptedEndpoint();
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
