import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from "jose";
import { readProviders, TokenVerifier } from "../../../worker/oauth/index.ts";
import { startTokenProvider, type TokenProvider } from "../../support/http/token-provider.ts";
import { inputs } from "../../support/property.ts";

const FORGED = { kind: "invalid", authentic: false };
const NOW = Math.floor(Date.now() / 1000);

let provider: TokenProvider;
let tokens: TokenVerifier;
before(async () => {
  provider = await startTokenProvider();
  tokens = new TokenVerifier(readProviders(JSON.stringify([provider.signing]))!);
});
after(() => provider.close());

const verify = (token: string) => tokens.verify(Buffer.from(token, "latin1"));
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = () => ({
  iss: provider.url,
  aud: "mail",
  exp: NOW + 3600,
  email: "alice@example.test",
  email_verified: true,
});
const TYP = { typ: "at+jwt" };

test("a valid token gives its address and its expiry", async () => {
  assert.deepEqual(await verify(await provider.sign({ exp: NOW + 3600 })), {
    kind: "valid",
    address: "alice@example.test",
    domains: ["example.test"],
    expires: (NOW + 3600) * 1000,
  });
});

test("an unsigned token is forged, in any spelling of none", async () => {
  const unsecured = new UnsecuredJWT(claims()).encode();
  assert.deepEqual(await verify(unsecured), FORGED);
  for (const alg of ["none", "None", "NONE", "", "nOnE"]) {
    const unsigned = `${part({ alg, ...TYP })}.${part(claims())}`;
    assert.deepEqual(await verify(`${unsigned}.`), FORGED);
    assert.deepEqual(await verify(`${unsigned}.AAAA`), FORGED);
  }
  const [header, body] = (await provider.sign()).split(".");
  assert.deepEqual(await verify(`${header}.${body}.`), FORGED);
});

test("a token signed with the public key as a shared secret is forged", async () => {
  const { keys } = (await (await fetch(`${provider.url}/keys`)).json()) as { keys: object[] };
  for (const jwk of keys) {
    const pem = await exportSPKI((await importJWK(jwk)) as CryptoKey);
    for (const secret of [pem, pem.trim(), JSON.stringify(jwk)]) {
      for (const alg of ["HS256", "HS384", "HS512"]) {
        const unsigned = `${part({ alg, kid: "RS256", ...TYP })}.${part(claims())}`;
        const signature = createHmac(`sha${alg.slice(2)}`, secret).update(unsigned);
        assert.deepEqual(await verify(`${unsigned}.${signature.digest("base64url")}`), FORGED);
      }
    }
  }
});

test("a key in a token, or at a URL in it, is not used", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await crypto.subtle.exportKey("jwk", publicKey);
  for (const header of [
    { kid: "ES256" },
    { jwk },
    { jku: "https://evil.example/keys", kid: "evil" },
    { x5u: "https://evil.example/x" },
    { x5c: ["AAAA"] },
  ]) {
    const token = new SignJWT(claims()).setProtectedHeader({ alg: "ES256", ...TYP, ...header });
    assert.deepEqual(await verify(await token.sign(privateKey)), FORGED);
  }
});

test("a hostile key name is only a name", async () => {
  const kids = [
    "../../etc/passwd",
    "' or 1=1 --",
    "ES256\0",
    "__proto__",
    "constructor",
    "",
    7,
    null,
    {},
    ["ES256"],
  ];
  for (const kid of kids) {
    const [, body, signature] = (await provider.sign()).split(".");
    assert.deepEqual(
      await verify(`${part({ alg: "ES256", kid, ...TYP })}.${body}.${signature}`),
      FORGED,
    );
  }
});

test("an unknown critical header is not ignored", async () => {
  const crit = { crit: ["b64"], b64: false };
  const [, body, signature] = (await provider.sign()).split(".");
  const header = part({ alg: "ES256", kid: "ES256", ...TYP, ...crit });
  assert.deepEqual(await verify(`${header}.${body}.${signature}`), FORGED);
});

test("claims of the wrong type are forged or unfit, and no error", async () => {
  for (const name of ["iss", "aud", "exp", "nbf", "email", "email_verified", "scope"]) {
    for (const value of [null, 0, -1, 1e300, "", "x", true, [], {}, [[]]]) {
      const { kind } = await verify(await signed({ [name]: value }));
      assert.notEqual(kind, "unavailable", `${name} ${JSON.stringify(value)}`);
      if (["iss", "aud", "exp", "email"].includes(name) && value !== 1e300) {
        if (!(name === "email" && value === "x"))
          assert.equal(kind, "invalid", `${name} ${JSON.stringify(value)}`);
      }
    }
  }
});

/** Signs claims that `SignJWT` would refuse. */
async function signed(changes: Record<string, unknown>): Promise<string> {
  return provider.sign(changes).catch(() => "unsigned");
}

test("an address is verified only where email_verified is exactly true, or is not looked at", async () => {
  const believing = new TokenVerifier(
    readProviders(JSON.stringify([{ ...provider.signing, email_verified: "ignored" }]))!,
  );
  for (const value of ["true", "True", "False", "", 0, 1, null, [], [true], {}, false, undefined]) {
    const token = await provider.sign({ email_verified: value });
    assert.deepEqual(
      await verify(token),
      { kind: "invalid", authentic: true },
      JSON.stringify(value),
    );
    const proof = Buffer.from(token, "latin1");
    assert.equal((await believing.verify(proof)).kind, "valid", JSON.stringify(value));
  }
});

test("a token of another type is refused, and one type is pinned for each provider", async () => {
  const older = new TokenVerifier(
    readProviders(JSON.stringify([{ ...provider.signing, typ: "JWT" }]))!,
  );
  for (const [typ, isNew, isOlder] of [
    ["at+jwt", true, false],
    ["AT+JWT", true, false],
    ["application/at+jwt", true, false],
    ["JWT", false, true],
    ["jwt", false, true],
    ["id+jwt", false, false],
    ["logout+jwt", false, false],
    ["secevent+jwt", false, false],
    ["dpop+jwt", false, false],
    ["", false, false],
    [undefined, false, false],
  ] as const) {
    const token = await provider.sign({}, { header: { typ } });
    const result = await verify(token);
    assert.equal(result.kind === "valid", isNew, String(typ));
    // It is no guess, so it does not count as a failed login.
    if (!isNew) assert.deepEqual(result, { kind: "invalid", authentic: true });
    const proof = Buffer.from(token, "latin1");
    assert.equal((await older.verify(proof)).kind === "valid", isOlder, String(typ));
  }
});

test("a token under an algorithm that the provider's entry does not list is forged", async () => {
  const picky = new TokenVerifier(
    readProviders(JSON.stringify([{ ...provider.signing, algorithms: ["RS256"] }]))!,
  );
  for (const [alg, kind] of [
    ["RS256", "valid"],
    ["ES256", "invalid"],
    ["EdDSA", "invalid"],
  ] as const) {
    const proof = Buffer.from(await provider.sign({}, { alg }), "latin1");
    assert.equal((await picky.verify(proof)).kind, kind, alg);
  }
});

test("a provider for every domain vouches for each address, and still for no other form of it", async () => {
  const any = new TokenVerifier(
    readProviders(JSON.stringify([{ ...provider.signing, domains: ["*"] }]))!,
  );
  for (const [email, kind] of [
    ["olga@other.test", "valid"],
    ["OLGA@other.test", "valid"],
    ["olga", "invalid"],
    ["olga%other.test", "invalid"],
    ["olga@o\u200bther.test", "invalid"],
  ] as const) {
    const proof = Buffer.from(await provider.sign({ email }), "latin1");
    assert.equal((await any.verify(proof)).kind, kind, email);
  }
});

test("a token that is too long or has invalid bytes is not parsed", async () => {
  const good = await provider.sign();
  for (const token of [
    "",
    `${good} `,
    `${good}\n`,
    `${good}\u00e9`,
    `${good}\0`,
    `${good}%`,
    "A".repeat(8193),
    await provider.sign({ padding: "x".repeat(9000) }),
  ]) {
    assert.deepEqual(await verify(token), FORGED);
  }
});

test("among random bytes and fragments of tokens only a valid token is valid, and none throws", async () => {
  const good = await provider.sign();
  const pieces = [
    ...good.split("."),
    ".",
    "..",
    "=",
    part({}),
    part({ alg: "ES256", kid: "ES256" }),
    part([]),
  ];
  const bytes = fc.uint8Array({ maxLength: 200 });
  const mixed = fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.base64String({ maxLength: 8 })), {
      maxLength: 8,
    })
    .map((parts) => Buffer.from(parts.join(".").replaceAll("...", ".")));
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, mixed), async (proof) => {
      fc.pre(Buffer.from(proof).toString() !== good);
      assert.equal((await tokens.verify(proof)).kind, "invalid");
    }),
    inputs(10),
  );
});

test("a token with one changed character is forged", async () => {
  const good = await provider.sign({ jti: "altered" });
  // The last character of each part has unused bits.
  const ends = [...good.matchAll(/.(?=\.|$)/g)].map(({ index }) => index);
  for (let index = 0; index < good.length; index++) {
    if (ends.includes(index) || good[index] === ".") continue;
    const altered =
      good.slice(0, index) + (good[index] === "A" ? "B" : "A") + good.slice(index + 1);
    assert.deepEqual(await verify(altered), FORGED, `at ${index}`);
  }
});
