import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { newSecret } from "../../../worker/directory/secret.ts";
import { ONE_SERVER, SEALING } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";
import { type TokenProvider, startTokenProvider } from "../../support/http/token-provider.ts";

const user = "alice@example.test";
const [phone, brief, kept] = [newSecret(), newSecret(), newSecret()];
const MINUTE = 60_000;

let provider: TokenProvider;
let worker: Harness;
let unset: Harness;

before(async () => {
  provider = await startTokenProvider();
  const row = { group: "mail", server: "m1", passwordHash };
  [worker, unset] = await Promise.all([
    startHarness({
      secrets: {
        LOOKUP_KEYS: "key",
        SECRET_KEYS: SEALING,
        OAUTH_PROVIDERS: JSON.stringify([provider.signing]),
      },
      seed: {
        ...ONE_SERVER,
        users: [
          { address: user, ...row },
          { address: "off@example.test", ...row, enabled: false },
          { address: "kept@example.test", ...row },
        ],
        domains: [{ name: "example.test", group: "mail", recipients: "known" }],
        appPasswords: [
          { user, label: "phone", password: phone },
          { user, label: "brief", password: brief, expires: new Date(Date.now() + 10 * MINUTE) },
          { user: "kept@example.test", label: "phone", password: kept },
        ],
        secrets: [{ user: "kept@example.test", purpose: "own", secret: "wonder land" }],
      },
    }),
    startHarness({
      vars: { LOOKUP_MAX_AGE: "0", LOOKUP_STALE_IF_ERROR: "0" },
      seed: { ...ONE_SERVER, users: [{ address: user, ...row }] },
    }),
  ]);
});
after(async () => {
  await Promise.all([worker.close(), unset.close()]);
  await provider.close();
});

const ACCEPT = "hostname, tls, fallback, cache";

/** The `Cache-Control` for a caller that caches. */
async function cacheControl(headers: Record<string, string> = {}, from = worker) {
  const { auth, cacheControl: control } = await from.ask({ "Auth-Accept": ACCEPT, ...headers });
  return [auth["auth-status"], control];
}

const HOUR = "private, max-age=30, stale-if-error=3600";
const NO = "[AUTHENTICATIONFAILED] Invalid login or password";

test("a reply to a right password may be cached for half a minute, and for an hour while the worker is away", async () => {
  assert.deepEqual(await cacheControl(), ["OK", HOUR]);
  assert.deepEqual(await cacheControl({ "Auth-Pass": phone }), ["OK", HOUR]);
});

describe("a reply may not be cached", () => {
  const nobody = { "Auth-Method": "none", "Auth-Pass": "", "Auth-Protocol": "smtp" };
  const CASES: Record<string, [expected: string, headers: Record<string, string>]> = {
    "by a caller that does not say it can": ["OK", { "Auth-Accept": "hostname, tls, fallback" }],
    "of a wrong password": [NO, { "Auth-Pass": "wrong" }],
    "of a disabled user": [NO, { "Auth-User": "off@example.test" }],
    "of an answer with a password": ["OK", { "Auth-User": "kept@example.test", "Auth-Pass": kept }],
    "of mail to a recipient": ["OK", { ...nobody, "Auth-SMTP-To": `RCPT TO:<${user}>` }],
  };
  for (const [name, [expected, headers]] of Object.entries(CASES)) {
    test(name, async () => assert.deepEqual(await cacheControl(headers), [expected, null]));
  }

  test("if the settings say so", async () => {
    assert.deepEqual(await cacheControl({}, unset), ["OK", null]);
  });
});

/** Asserts a reply that may be cached for about this many seconds in all. */
async function lasts(seconds: number, headers: Record<string, string>): Promise<void> {
  const [status, control] = await cacheControl(headers);
  const [, age, stale] = /^private, max-age=(\d+), stale-if-error=(\d+)$/.exec(control ?? "") ?? [];
  const total = Number(age) + Number(stale);
  assert.equal(status, "OK");
  assert.ok(total <= seconds && total > seconds - 120, `${control}`);
}

test("a reply to an app password expires with it", () => lasts(600, { "Auth-Pass": brief }));

test("a reply to a token expires with it", async () => {
  const token = await provider.sign({ exp: Math.floor(Date.now() / 1000) + 300 });
  await lasts(300, { "Auth-Method": "oauthbearer", "Auth-Pass": token });
});
