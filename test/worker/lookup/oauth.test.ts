import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { ONE_SERVER } from "../../support/worker/directory.ts";
import { type Answer, type Harness, startHarness } from "../../support/worker/harness.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";
import { startTokenProvider, type TokenProvider } from "../../support/http/token-provider.ts";

const alice = "alice@example.test";
const WRONG = "[AUTHENTICATIONFAILED] Invalid login or password";
/** Permitted failures of an account, more than these tests make for Alice's. */
const PERMITTED = 20;
const NOW = Math.floor(Date.now() / 1000);

let provider: TokenProvider;
let asked: TokenProvider;
let worker: Harness;

before(async () => {
  provider = await startTokenProvider();
  asked = await startTokenProvider();
  const configuration = "https://id.example.test/.well-known/openid-configuration";
  const providers = [
    { ...provider.signing, scope: "mail.read", configuration },
    {
      ...asked.introspecting,
      audience: ["mail", "imap"],
      address: "username",
      default_domain: "example.test",
    },
  ];
  const row = { group: "mail", server: "m1", passwordHash };
  worker = await startHarness({
    vars: {
      DEFAULT_DOMAIN: "example.test",
      LOGIN_SEPARATORS: "%!",
      FAILURES_PER_ACCOUNT: `${PERMITTED}`,
      FAILURES_PER_NETWORK: "1000",
    },
    secrets: { LOOKUP_KEYS: "key", OAUTH_PROVIDERS: JSON.stringify(providers) },
    seed: {
      ...ONE_SERVER,
      networks: [{ network: "203.0.113.0/24", prefix: 24, access: "deny" }],
      users: [
        { address: alice, ...row },
        { address: "kate@example.test", ...row },
        { address: "stale@example.test", ...row },
        { address: "guessed@example.test", ...row },
        { address: "off@example.test", ...row, enabled: false },
        { address: "imap-only@example.test", ...row, pop3: false },
        { address: "j\u00f6rg@example.test", ...row },
        { address: "olga@other.test", ...row },
      ],
      aliases: [
        { address: "al@example.test", user: alice },
        { address: "ally@example.test", user: alice },
        { address: "alias-of-olga@example.test", user: "olga@other.test" },
      ],
    },
  });
});
after(async () => {
  await worker.close();
  await provider.close();
  await asked.close();
});
let networks = 0;
beforeEach(() => {
  networks += 1;
});

/** Logs in from a network of this test file. */
const logIn = (token: string, headers: Record<string, string> = {}): Promise<Answer> =>
  worker.ask({
    "Auth-Method": "xoauth2",
    "Auth-Pass": token,
    "Client-IP": `198.51.100.${networks}`,
    ...headers,
  });

type Changes = Record<string, unknown>;

const sign = (changes: Changes = {}, options?: Parameters<TokenProvider["sign"]>[1]) =>
  provider.sign({ scope: "openid mail.read", ...changes }, options);

const status = ({ auth }: Answer) => auth["auth-status"];
const challenge = ({ auth }: Answer): unknown => JSON.parse(atob(auth["auth-error-sasl"] ?? ""));

describe("a signed token", () => {
  for (const alg of ["ES256", "RS256", "EdDSA"] as const) {
    test(`of ${alg} logs its user in, and is passed on`, async () => {
      const answer = await logIn(await sign({}, { alg }));
      assert.deepEqual(answer.auth, {
        "auth-status": "OK",
        "auth-server": "192.0.2.7",
        "auth-port": "143",
      });
    });
  }

  test("without a key name is tried with each key", async () => {
    assert.equal(status(await logIn(await sign({}, { header: { kid: undefined } }))), "OK");
  });

  test("works for all names of the user, and may contain any of them", async () => {
    for (const [login, email] of [
      [alice, "al@example.test"],
      ["al@example.test", alice],
      ["al@example.test", "ally@example.test"],
      ["alice", "Alice@Example.TEST"],
      ["example.test!al", alice],
    ] as const) {
      const answer = await logIn(await sign({ email }), { "Auth-User": login });
      assert.equal(status(answer), "OK", `${login} ${email}`);
    }
  });

  test("names the user if the client does not", async () => {
    const token = await sign({ email: "al@example.test" });
    const answer = await logIn(token, { "Auth-User": "", "Auth-Method": "oauthbearer" });
    assert.equal(status(answer), "OK");
    assert.equal(answer.auth["auth-user"], alice);
  });

  test("does not log in as another or as an unknown user", async () => {
    for (const [login, email] of [
      ["kate@example.test", alice],
      [alice, "kate@example.test"],
      [alice, "nobody@example.test"],
      ["nobody@example.test", "nobody@example.test"],
      ["", "nobody@example.test"],
      ["", "off@example.test"],
      ["off@example.test", "off@example.test"],
      // A Kelvin sign becomes a k in lower case.
      ["kate@example.test", "\u212Aate@example.test"],
      ["", "\u212Aate@example.test"],
      // The rules for typed names are not for claims.
      ["", "alice"],
      [alice, "alice"],
      ["", "alice%example.test"],
      [alice, "alice%example.test"],
      ["", "example.test!alice"],
      ["", `${alice}@example.test`],
      ["", "alice@evil.test@example.test"],
      ["", ` ${alice}`],
      ["", `${alice}\n`],
      ["", `${alice}.`],
      ["", "@example.test"],
      ["", "jo\u0308rg@example.test"],
      ["", "J\u00d6RG@example.test"],
      ["", "alice@\uff45xample.test"],
      ["", "alice@EXAMPLE\u3002test"],
      // The provider does not vouch for these domains.
      ["", "olga@other.test"],
      ["olga@other.test", "olga@other.test"],
      ["", "alias-of-olga@example.test"],
      ["olga@other.test", "alias-of-olga@example.test"],
      ["", "alice@sub.example.test"],
      ["", "alice@notexample.test"],
    ] as const) {
      const answer = await logIn(await sign({ email }), { "Auth-User": login });
      assert.equal(status(answer), WRONG, `${login} ${email}`);
    }
    const pop3 = { "Auth-User": "imap-only@example.test", "Auth-Protocol": "pop3" };
    const token = await sign({ email: "imap-only@example.test" });
    assert.match(status(await logIn(token, pop3))!, /^\[AUTH\]/);
  });

  const UNFIT: Record<string, Changes> = {
    "that has expired": { exp: NOW - 3600 },
    "that is not yet valid": { nbf: NOW + 3600 },
    "without the scope for mail": { scope: "openid" },
    "without any scope": { scope: undefined },
    "with an unverified address": { email_verified: false },
    "without a word on the address's verification": { email_verified: undefined },
    "that is bound to a key": { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } },
    "with an address that is not text": { email: [alice] },
  };
  for (const [what, changes] of Object.entries(UNFIT)) {
    test(`${what} is refused, and does not count as a failure`, async () => {
      const headers = { "Auth-User": "stale@example.test" };
      const token = await sign({ email: "stale@example.test", ...changes });
      for (let n = 0; n <= PERMITTED; n++) assert.equal(status(await logIn(token, headers)), WRONG);
      const good = await sign({ email: "stale@example.test" });
      assert.equal(status(await logIn(good, headers)), "OK");
    });
  }

  const FORGED: Record<string, Changes> = {
    "for another audience": { aud: "files" },
    "for no audience": { aud: undefined },
    "of another issuer": { iss: "https://evil.example" },
    "of no issuer": { iss: undefined },
    "that never expires": { exp: undefined },
    "without an address": { email: undefined },
  };
  for (const [what, changes] of Object.entries(FORGED)) {
    test(`${what} is refused`, async () => {
      assert.equal(
        status(await logIn(await sign(changes), { "Auth-User": `${networks}@example.test` })),
        WRONG,
      );
      assert.notEqual(status(await logIn(await sign(changes))), "OK");
    });
  }
});

test("wrong tokens count as failures, and too many block the account", async () => {
  const headers = { "Auth-User": "guessed@example.test" };
  for (let n = 0; n < PERMITTED; n++) assert.equal(status(await logIn(`x.y.${n}`, headers)), WRONG);
  assert.match(status(await logIn("x.y.z", headers))!, /UNAVAILABLE/);
});

test("a refused client gets a challenge that says where to get a token", async () => {
  const expected = {
    schemes: "bearer",
    scope: "mail.read",
    "openid-configuration": "https://id.example.test/.well-known/openid-configuration",
  };
  const google = await logIn("wrong", { "Auth-User": "nobody1@example.test" });
  assert.deepEqual(challenge(google), { status: "401", ...expected });
  const other = { "Auth-User": "nobody2@example.test", "Auth-Method": "oauthbearer" };
  const standard = await logIn("wrong", other);
  assert.deepEqual(challenge(standard), { status: "invalid_token", ...expected });
  assert.ok(standard.bytes < 700, `${standard.bytes} bytes`);
});

describe("an opaque token", () => {
  test("logs its user in, with one introspection", async () => {
    asked.opaque.set("opaque-1", { active: true, username: alice, aud: "imap" });
    for (let n = 0; n < 3; n++) assert.equal(status(await logIn("opaque-1")), "OK");
    const questions = asked.requests.filter(({ form }) => form.get("token") === "opaque-1");
    assert.equal(questions.length, 1);
    assert.equal(questions[0]?.path, "/introspect");
  });

  test("names only its user", async () => {
    asked.opaque.set("opaque-2", { active: true, username: "kate", aud: ["web", "mail"] });
    const answer = await logIn("opaque-2", { "Auth-User": "", "Auth-Method": "oauthbearer" });
    assert.equal(answer.auth["auth-user"], "kate@example.test");
    assert.equal(status(await logIn("opaque-2", { "Auth-User": "imap-only@example.test" })), WRONG);
  });

  test("with separators in its user names no user by them", async () => {
    for (const username of ["alice%example.test", "example.test!alice"]) {
      asked.opaque.set(`of-${username.length}`, { active: true, username, aud: "mail" });
      for (const login of ["", alice]) {
        const answer = await logIn(`of-${username.length}`, { "Auth-User": login });
        assert.equal(status(answer), WRONG, username);
      }
    }
  });

  const REFUSED: Record<string, Record<string, unknown>> = {
    "that is not active": { active: false, username: "nobody3", aud: "mail" },
    "for another audience": { active: true, username: "nobody3", aud: "web" },
    "for no audience": { active: true, username: "nobody3" },
    "that has expired": { active: true, username: alice, aud: "mail", exp: NOW - 3600 },
    "that is not yet valid": { active: true, username: alice, aud: "mail", nbf: NOW + 3600 },
    "that is a refresh token": {
      active: true,
      username: "nobody4",
      aud: "mail",
      token_type: "refresh_token",
    },
    "with a user of another domain": { active: true, username: "olga@other.test", aud: "mail" },
    "without a user": { active: true, aud: "mail" },
  };
  for (const [what, claims] of Object.entries(REFUSED)) {
    test(`${what} is refused`, async () => {
      asked.opaque.set(what.replaceAll(" ", "-"), claims);
      const login = {
        "Auth-User": `${String(claims["username"])}@example.test`.replace(/(@.*)@.*/, "$1"),
      };
      assert.equal(status(await logIn(what.replaceAll(" ", "-"), login)), WRONG);
    });
  }

  test("of a client on a denied network is not sent to its provider, with a name or without", async () => {
    for (const login of ["", alice]) {
      const answer = await logIn("denied", { "Auth-User": login, "Client-IP": "203.0.113.9" });
      assert.equal(status(answer), "[AUTHORIZATIONFAILED] Not from this network");
    }
    assert.ok(!asked.requests.some(({ form }) => form.get("token") === "denied"));
  });

  test("is not sent to its provider if another provider issues such JWTs", async () => {
    const token = await sign();
    await logIn(token);
    assert.ok(!asked.requests.some(({ form }) => form.get("token") === token));
  });

  for (const [what, trouble] of Object.entries({
    "does not know us": { status: 401, body: "{}" },
    fails: { status: 500, body: "canary-body" },
    "answers with something else": { status: 200, body: "<html>canary-body</html>" },
    "answers with too little": { status: 200, body: "{}" },
    "sends us elsewhere": { status: 307, body: "" },
  })) {
    test(`is a temporary failure where the provider ${what}`, async () => {
      asked.trouble = trouble;
      const answer = await logIn(`canary-${what.replaceAll(" ", "-")}`);
      asked.trouble = null;
      assert.equal(answer.status, 503);
      assert.match(status(answer)!, /UNAVAILABLE/);
      assert.equal(answer.auth["auth-error-sasl"], undefined);
    });
  }
});

test("logs contain neither tokens nor providers' replies", async () => {
  const token = await sign({ exp: NOW - 60 });
  await logIn(token);
  const logs = worker.logs();
  assert.match(logs, /cannot verify a token: it answers 401/);
  assert.doesNotMatch(logs, /canary|opaque|s3cret/);
  assert.ok(!logs.includes(token.slice(0, 30)));
});
