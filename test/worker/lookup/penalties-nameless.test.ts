/** Logins without a name, as OAUTHBEARER permits them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ONE_SERVER } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";
import { startTokenProvider, type TokenProvider } from "../../support/http/token-provider.ts";

const WRONG = "[AUTHENTICATIONFAILED] Invalid login or password";
const BLOCKED = "[UNAVAILABLE] Too many failed logins, please try again later";

let provider: TokenProvider;
let worker: Harness;
before(async () => {
  provider = await startTokenProvider();
  const providers = [{ ...provider.introspecting, address: "username", audience: "mail" }];
  worker = await startHarness({
    vars: { FAILURES_PER_ACCOUNT: "2", FAILURES_PER_NETWORK: "3" },
    secrets: { LOOKUP_KEYS: "key", OAUTH_PROVIDERS: JSON.stringify(providers) },
    seed: {
      ...ONE_SERVER,
      users: [{ address: "alice@example.test", group: "mail", server: "m1", passwordHash }],
    },
  });
});
after(async () => {
  await worker.close();
  await provider.close();
});

let tokens = 0;
/** A login with a token that nothing remembers. */
async function logIn(client: string, method = "oauthbearer"): Promise<string | undefined> {
  tokens += 1;
  const headers = { "Auth-Method": method, "Auth-User": "", "Client-IP": client };
  return (await worker.ask({ ...headers, "Auth-Pass": `wrong-${tokens}` })).auth["auth-status"];
}

for (const method of ["oauthbearer", "plain"]) {
  test(`strangers without a name share no block with ${method}, each network has its own`, async () => {
    const subnet = method === "plain" ? 1 : 2;
    for (let n = 1; n <= 4; n++) {
      const client = `203.0.${subnet}${n}.1`;
      for (let attempt = 0; attempt < 3; attempt++) {
        assert.equal(await logIn(client, method), WRONG);
      }
      assert.equal(await logIn(client, method), BLOCKED);
    }
  });
}

test("a blocked network's login without a name costs the provider no request", async () => {
  const client = "198.51.100.1";
  for (let attempt = 0; attempt < 3; attempt++) await logIn(client);
  const asked = provider.requests.length;
  assert.ok(asked >= 3);
  for (let attempt = 0; attempt < 3; attempt++) assert.equal(await logIn(client), BLOCKED);
  assert.equal(provider.requests.length, asked);
});
