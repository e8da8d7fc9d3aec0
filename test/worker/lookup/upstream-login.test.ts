import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SEALING } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";
import { startTokenProvider, type TokenProvider } from "../../support/http/token-provider.ts";

let provider: TokenProvider;
let worker: Harness;
before(async () => {
  provider = await startTokenProvider();
  const server = { host: "192.0.2.7", imapPort: 143, smtpPort: 25 };
  const names = ["client", "stored", "master", "masterless"] as const;
  worker = await startHarness({
    secrets: {
      LOOKUP_KEYS: "key",
      SECRET_KEYS: `${SEALING},k2:${"B".repeat(43)}=`,
      OAUTH_PROVIDERS: JSON.stringify([provider.signing]),
      MASTER_PASSWORDS: JSON.stringify({ proxy: 'm4ster p"ss' }),
    },
    seed: {
      groups: [
        { name: "client" },
        { name: "stored", upstreamAuth: "stored" },
        { name: "master", upstreamAuth: "master", masterUser: "proxy" },
        { name: "masterless", upstreamAuth: "master", masterUser: "nobody" },
      ],
      servers: names.map((group) => ({ name: group, group, ...server })),
      users: [
        ...names.map((group) => ({ address: `${group}@example.test`, group, passwordHash })),
        { address: "renamed@example.test", group: "master", passwordHash, upstreamLogin: "u42" },
        { address: "a*b@example.test", group: "master", passwordHash },
        { address: "bare@example.test", group: "stored", passwordHash },
      ],
      domains: [{ name: "example.test", group: "client" }],
      appPasswords: [{ user: "master@example.test", label: "phone", password: "hxwm-hxwm" }],
      secrets: [
        { user: "stored@example.test", purpose: "upstream", secret: "upstream's own" },
        { user: "stored@example.test", purpose: "own", secret: "wonderland" },
      ],
    },
  });
});
after(async () => {
  await worker.close();
  await provider.close();
});

/** The login and password for the server; undefined if they are the client's. */
async function given(user: string, headers: Record<string, string>) {
  const { status, auth } = await worker.ask({ "Auth-User": user, ...headers });
  assert.equal(status, 200);
  assert.equal(auth["auth-status"], "OK");
  return [auth["auth-user"], auth["auth-pass"]];
}

const bearer = async (email: string) => ({
  "Auth-Method": "xoauth2",
  "Auth-Pass": await provider.sign({ email }),
});

describe("a group whose servers get the client's credentials", () => {
  test("passes on the token or the password", async () => {
    const user = "client@example.test";
    assert.deepEqual(await given(user, await bearer(user)), [undefined, undefined]);
    assert.deepEqual(await given(user, {}), [undefined, undefined]);
  });
});

describe("a group whose servers get stored passwords", () => {
  const user = "stored@example.test";
  test("sends them for each method of the client", async () => {
    assert.deepEqual(await given(user, await bearer(user)), [undefined, "upstream's own"]);
    assert.deepEqual(await given(user, {}), [undefined, "upstream's own"]);
  });

  test("gives a temporary failure to a user without one", async () => {
    const { status } = await worker.ask({ "Auth-User": "bare@example.test" });
    assert.equal(status, 503);
    assert.match(worker.logs(), /no upstream secret of bare@example.test is kept/);
  });
});

describe("a group whose servers have a master user", () => {
  const user = "master@example.test";
  const expected = [`${user}*proxy`, 'm4ster p"ss'];
  test("logs the master in as the user", async () => {
    assert.deepEqual(await given(user, await bearer(user)), expected);
    assert.deepEqual(await given(user, {}), expected);
    assert.deepEqual(await given(user, { "Auth-Pass": "hxwm-hxwm" }), expected);
    assert.deepEqual(await given("renamed@example.test", {}), ["u42*proxy", expected[1]]);
  });

  test("refuses a user whose name contains the separator", async () => {
    assert.equal((await worker.ask({ "Auth-User": "a*b@example.test" })).status, 503);
  });

  test("gives a temporary failure if the master's password is not set", async () => {
    const { status } = await worker.ask({ "Auth-User": "masterless@example.test" });
    assert.equal(status, 503);
    assert.match(worker.logs(), /MASTER_PASSWORDS has none for nobody/);
  });
});

test("mail from outside is sent on without a login", async () => {
  for (const user of ["stored@example.test", "master@example.test"]) {
    const headers = {
      "Auth-Method": "none",
      "Auth-User": "",
      "Auth-Pass": "",
      "Auth-Protocol": "smtp",
      "Auth-SMTP-To": `RCPT TO:<${user}>`,
    };
    const { auth } = await worker.ask(headers);
    assert.deepEqual(auth, { "auth-status": "OK", "auth-server": "192.0.2.7", "auth-port": "25" });
  }
});

test("logs contain no secret", () => {
  assert.doesNotMatch(worker.logs(), /upstream's own|m4ster|hxwm|wonderland|AAAA|BBBB/);
});
