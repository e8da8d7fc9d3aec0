import assert from "node:assert/strict";
import { test } from "node:test";
import { readProviders } from "../../../worker/oauth/index.ts";

const COMMON = { audience: "mail", domains: ["example.test"] };
const SIGNING = { ...COMMON, issuer: "https://id.test", jwks: "https://id.test/keys" };
const ASKED = {
  ...COMMON,
  introspection: "https://id.test/introspect",
  client: "postern",
  secret: "canary",
};
/** The algorithms with a public key. */
const ASYMMETRIC = /^(?:RS|PS|ES)(?:256|384|512)$|^Ed/;

const read = (...providers: object[]) => readProviders(JSON.stringify(providers));

test("both kinds of providers are read, and what an entry leaves out is the strictest", () => {
  const [signing, asked] = read(SIGNING, { ...ASKED, address: "username" })!;
  const { algorithms, ...others } = { algorithms: [""], ...signing };
  assert.deepEqual(others, {
    ...SIGNING,
    address: "email",
    email_verified: "required",
    typ: "at+jwt",
  });
  assert.ok(algorithms.length > 0);
  for (const algorithm of algorithms) assert.match(algorithm, ASYMMETRIC);
  assert.deepEqual(asked, { ...ASKED, address: "username", email_verified: "required" });
});

test("an entry without domains is refused with a sentence that says what to list", () => {
  for (const entry of [SIGNING, ASKED]) {
    assert.throws(
      () => read({ ...entry, domains: undefined }),
      /^Error: OAUTH_PROVIDERS\[0\] domains: list the domains whose users this provider may log in, or \["\*"\] for all$/,
    );
  }
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
    [{ ...ASKED, audience: undefined }, "audience"],
    [{ ...SIGNING, domains: [] }, "domains"],
    [{ ...SIGNING, domains: "example.test" }, "domains"],
    [{ ...SIGNING, domains: ["Example.test"] }, "domains"],
    [{ ...SIGNING, domains: ["m\u00fcnchen.test"] }, "domains"],
    [{ ...SIGNING, domains: ["@example.test"] }, "domains"],
    [{ ...SIGNING, domains: [""] }, "domains"],
    [{ ...SIGNING, default_domain: "*" }, "default_domain"],
    [{ ...SIGNING, email_verified: false }, "email_verified"],
    [{ ...SIGNING, typ: "id" }, "typ"],
    [{ ...SIGNING, algorithms: ["HS256"] }, "algorithms"],
    [{ ...SIGNING, algorithms: ["none"] }, "algorithms"],
    [{ ...SIGNING, algorithms: [] }, "algorithms"],
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
