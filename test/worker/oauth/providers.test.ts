import assert from "node:assert/strict";
import { test } from "node:test";
import { readProviders } from "../../../worker/oauth/index.ts";

const SIGNING = { issuer: "https://id.test", audience: "mail", jwks: "https://id.test/keys" };
const ASKED = { introspection: "https://id.test/introspect", client: "postern", secret: "canary" };

const read = (...providers: object[]) => readProviders(JSON.stringify(providers));

test("both kinds of providers are read, and the default claim of the address is email", () => {
  const providers = read(SIGNING, { ...ASKED, address: "username" });
  assert.deepEqual(providers, [
    { ...SIGNING, address: "email" },
    { ...ASKED, address: "username" },
  ]);
});

test("an empty setting means no providers", () => {
  for (const setting of ["", " ", "[]"]) assert.equal(readProviders(setting), null);
});

test("endpoints are HTTPS, or HTTP on loopback", () => {
  assert.ok(read({ ...SIGNING, jwks: "http://127.0.0.1:8080/keys" }));
  assert.ok(read({ ...SIGNING, jwks: "http://localhost/keys" }));
  for (const jwks of [
    "http://id.test/keys",
    "http://127.0.0.1.id.test/keys",
    "http://localhost.id.test/",
    "file:///keys",
    "keys",
  ]) {
    assert.throws(() => read({ ...SIGNING, jwks }), /OAUTH_PROVIDERS\[0\] jwks/, jwks);
  }
});

test("an invalid setting is reported by its path, without a secret", () => {
  const { audience: _, ...incomplete } = SIGNING;
  for (const [provider, place] of [
    [incomplete, "audience"],
    [{ ...SIGNING, audience: [] }, "audience"],
    [{ ...SIGNING, issuer: "" }, "issuer"],
    [{ ...SIGNING, scope: "two scopes" }, "scope"],
    [{ ...SIGNING, configuration: `https://id.test/${"x".repeat(150)}` }, "configuration"],
    [{ ...ASKED, secret: undefined }, "secret"],
    [{ ...ASKED, sekret: "canary" }, ""],
    ["canary", ""],
    [null, ""],
  ] as const) {
    assert.throws(
      () => readProviders(JSON.stringify([SIGNING, provider])),
      ({ message }: Error) =>
        message.startsWith(`OAUTH_PROVIDERS[1] ${place}`) && !message.includes("canary"),
      JSON.stringify(provider),
    );
  }
  assert.throws(() => readProviders("{}"), /is not a JSON list/);
  assert.throws(() => readProviders("[canary"), /^Error: OAUTH_PROVIDERS is not JSON$/);
});
