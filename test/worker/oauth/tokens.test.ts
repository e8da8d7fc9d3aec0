import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { readProviders, Tokens } from "../../../worker/oauth/index.ts";
import { startTokenProvider, type TokenProvider } from "../../support/token-provider.ts";

const MINUTE = 60_000;

let provider: TokenProvider;
let now: number;
let tokens: Tokens;
beforeEach(async () => {
  provider = await startTokenProvider();
  now = Date.now();
  tokens = new Tokens(readProviders(JSON.stringify([provider.introspecting]))!, () => now);
});
afterEach(() => provider.close());

const kind = async (token: string) => (await tokens.find(Buffer.from(token))).kind;

test("a good token is remembered for a minute, however often it is used, and then asked about", async () => {
  provider.opaque.set("token", { active: true, email: "alice@example.test" });
  assert.equal(await kind("token"), "valid");
  provider.opaque.clear();
  for (const later of [MINUTE / 2, MINUTE / 2 - 1]) {
    now += later;
    assert.equal(await kind("token"), "valid");
  }
  now += 2;
  assert.equal(await kind("token"), "invalid");
  assert.equal(provider.requests.length, 2);
});

test("a good token is not remembered beyond its end", async () => {
  const exp = Math.floor(now / 1000) + 10;
  provider.opaque.set("token", { active: true, email: "alice@example.test", exp });
  assert.equal(await kind("token"), "valid");
  provider.opaque.clear();
  now = exp * 1000 + 1;
  assert.equal(await kind("token"), "invalid");
});

test("what was refused, or could not be told, is asked about again", async () => {
  assert.equal(await kind("token"), "invalid");
  provider.trouble = { status: 500, body: "" };
  assert.equal(await kind("token"), "unavailable");
  provider.trouble = null;
  provider.opaque.set("token", { active: true, email: "alice@example.test" });
  assert.equal(await kind("token"), "valid");
});
