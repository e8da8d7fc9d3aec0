import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { readProviders, TokenVerifier } from "../../../worker/oauth/index.ts";
import { startTokenProvider, type TokenProvider } from "../../support/http/token-provider.ts";

const MINUTE = 60_000;

let provider: TokenProvider;
let now: number;
let tokens: TokenVerifier;
beforeEach(async () => {
  provider = await startTokenProvider();
  now = Date.now();
  tokens = new TokenVerifier(readProviders(JSON.stringify([provider.introspecting]))!, () => now);
});
afterEach(() => provider.close());

const ALICE = { active: true, aud: "mail", email: "alice@example.test", email_verified: true };

const kind = async (token: string) => (await tokens.verify(Buffer.from(token))).kind;

test("a valid token is cached for a minute, even if it is used, and then verified again", async () => {
  provider.opaque.set("token", ALICE);
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

test("a valid token is not cached beyond its expiry", async () => {
  const exp = Math.floor(now / 1000) + 10;
  provider.opaque.set("token", { ...ALICE, exp });
  assert.equal(await kind("token"), "valid");
  provider.opaque.clear();
  now = exp * 1000 + 1;
  assert.equal(await kind("token"), "invalid");
});

test("a refusal and a failure are not cached", async () => {
  assert.equal(await kind("token"), "invalid");
  provider.trouble = { status: 500, body: "" };
  assert.equal(await kind("token"), "unavailable");
  provider.trouble = null;
  provider.opaque.set("token", ALICE);
  assert.equal(await kind("token"), "valid");
});

test("a new key is fetched when a token names it, at most twice a minute", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now });
  const signed = new TokenVerifier(readProviders(JSON.stringify([provider.signing]))!);
  const findKind = async (token: string) => (await signed.verify(Buffer.from(token))).kind;
  assert.equal(await findKind(await provider.sign()), "valid");
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  provider.keys.push({ ...(await exportJWK(publicKey)), alg: "ES256", kid: "new" });
  const claims = {
    iss: provider.url,
    aud: "mail",
    exp: now / 1000 + 3600,
    email: "a@example.test",
    email_verified: true,
  };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", kid: "new", typ: "at+jwt" })
    .sign(privateKey);
  assert.equal(await findKind(token), "invalid");
  assert.equal(provider.requests.length, 1);
  t.mock.timers.tick(MINUTE / 2);
  assert.equal(await findKind(token), "valid");
  for (let n = 0; n < 5; n += 1) {
    const unknown = await provider.sign({ jti: `${n}` }, { header: { kid: `unknown-${n}` } });
    assert.equal(await findKind(unknown), "invalid");
  }
  assert.equal(provider.requests.length, 2);
});
