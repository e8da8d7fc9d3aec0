import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eq } from "drizzle-orm";
import { newSecret } from "../../../worker/directory/secret.ts";
import { users } from "../../../worker/directory/schema/index.ts";
import { idOf, ONE_SERVER, SEALING, seed } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { CHEAP_HASH, hashPassword } from "../../support/worker/passwords.ts";
import { type Replicated, startReplicated } from "../../support/worker/replica/index.ts";
import { type TokenProvider, startTokenProvider } from "../../support/http/token-provider.ts";

const user = "alice@example.test";
const label = "l".repeat(59);
const LONG_NAME = `${label}.${label}.${label}.${label}.test`;
const LATEST = Number.MAX_SAFE_INTEGER;
const appPassword = newSecret();
const renewed = hashPassword(new TextEncoder().encode("rabbit-hole"));

let provider: TokenProvider;
let worker: Harness;
before(async () => {
  provider = await startTokenProvider();
  // A weaker hash would be replaced at the first login, which raises the version.
  const row = { group: "mail", server: "m1", password: "wonderland" };
  worker = await startHarness({
    secrets: {
      LOOKUP_KEYS: "key",
      SECRET_KEYS: SEALING,
      OAUTH_PROVIDERS: JSON.stringify([provider.signing]),
    },
    seed: {
      groups: [...ONE_SERVER.groups, { name: "long", storage: "shared", policy: "first" }],
      servers: [
        ...ONE_SERVER.servers,
        { name: "l1", group: "long", host: "192.0.2.8", imapPort: 143, tlsName: LONG_NAME },
        { name: "l2", group: "long", host: LONG_NAME, imapPort: 65_535, position: 1 },
      ].map((server) => ({ tls: "starttls", ...server }) as const),
      users: [
        { address: user, ...row, version: 7 },
        {
          address: "long@example.test",
          group: "long",
          password: "wonderland",
          upstreamLogin: "u0000042",
          version: LATEST,
        },
        { address: "new@example.test", group: "mail", password: "wonderland" },
      ],
      domains: [{ name: "example.test", group: "mail", recipients: "any" }],
    },
  });
  // Each row raises the version by one.
  await seed(worker.db, {
    aliases: [{ address: "al@example.test", user }],
    appPasswords: [{ user, label: "phone", password: appPassword }],
    certificates: [{ user, kind: "subject", value: "CN=alice", issuer: "CN=root" }],
    secrets: [{ user, purpose: "own", secret: "wonderland" }],
  });
});
after(async () => {
  await worker.close();
  await provider.close();
});

const ACCEPT = { "Auth-Accept": "hostname, tls, fallback, cache" };

function versionIn(auth: Readonly<Record<string, string>>) {
  return { id: auth["auth-user-id"], version: auth["auth-user-version"] };
}

describe("a caller that sends Auth-Accept gets the user's id and version", () => {
  const METHODS: Record<string, () => Promise<Record<string, string>>> = {
    "with a password": async () => ({}),
    "with any word": async () => ({ "Auth-Accept": "x" }),
    "with an alias": async () => ({ "Auth-User": "al@example.test" }),
    "with an app password": async () => ({ "Auth-Pass": appPassword }),
    "with a certificate": async () => ({
      "Auth-Method": "external",
      "Auth-Pass": "",
      "Auth-SSL-Verify": "SUCCESS",
      "Auth-SSL-Subject": "CN=alice",
      "Auth-SSL-Issuer": "CN=root",
    }),
    "with a token": async () => ({
      "Auth-Method": "xoauth2",
      "Auth-Pass": await provider.sign(),
    }),
  };
  for (const [how, headers] of Object.entries(METHODS)) {
    test(how, async () => {
      const { auth } = await worker.ask({ ...ACCEPT, ...(await headers()) });
      assert.equal(auth["auth-status"], "OK");
      assert.deepEqual(versionIn(auth), { id: idOf(user), version: "11" });
    });
  }

  test("at the first login, whose placement changes no version", async () => {
    for (const _ of ["placing", "placed"]) {
      const { auth } = await worker.ask({ ...ACCEPT, "Auth-User": "new@example.test" });
      assert.deepEqual(versionIn(auth), { id: idOf("new@example.test"), version: "1" });
    }
  });

  test("in the longest reply too, which leaves out Cache-Control instead", async () => {
    const { auth, cacheControl, bytes } = await worker.ask({
      ...ACCEPT,
      "Auth-User": "long@example.test",
    });
    assert.deepEqual(versionIn(auth), { id: idOf("long@example.test"), version: String(LATEST) });
    assert.equal(auth["auth-fallback"], `${LONG_NAME}:65535`);
    assert.equal(cacheControl, null);
    assert.ok(bytes > 700 && bytes < 775, `${bytes} bytes`);
  });
});

describe("a reply has no id and no version", () => {
  const none = { "Auth-Method": "none", "Auth-Pass": "", "Auth-Protocol": "smtp" };
  for (const [what, headers] of Object.entries<Record<string, string | undefined>>({
    "for nginx": { "Auth-Accept": undefined },
    "for a caller with an empty Auth-Accept": { "Auth-Accept": "" },
    "for a caller with only blanks and commas in Auth-Accept": { "Auth-Accept": " ,\t, " },
    "about mail to a user": { ...none, "Auth-SMTP-To": `RCPT TO:<${user}>` },
    "that refuses": { "Auth-Pass": "wrong" },
  })) {
    test(what, async () => {
      const { auth } = await worker.ask({ ...ACCEPT, ...headers });
      assert.deepEqual(versionIn(auth), { id: undefined, version: undefined });
    });
  }
});

test("nginx gets exactly its own headers", async () => {
  const { status, auth, cacheControl } = await worker.ask();
  assert.equal(status, 200);
  assert.equal(cacheControl, null);
  assert.deepEqual(auth, {
    "auth-status": "OK",
    "auth-server": "192.0.2.7",
    "auth-port": "143",
  });
});

test("a changed password gives the next reply a newer version", async () => {
  await worker.db.update(users).set({ passwordHash: renewed }).where(eq(users.address, user));
  const { auth } = await worker.ask({ ...ACCEPT, "Auth-Pass": "rabbit-hole" });
  assert.deepEqual(versionIn(auth), { id: idOf(user), version: "12" });
});

describe("where a replica lags behind the primary", () => {
  let replicated: Replicated;
  before(async () => {
    replicated = await startReplicated();
    for (const db of [replicated.primary, replicated.replica]) {
      const row = { address: user, group: "mail", server: "m1", passwordHash: CHEAP_HASH };
      await seed(db, { ...ONE_SERVER, users: [row] });
    }
    await replicated.primary.update(users).set({ passwordHash: renewed });
  });
  after(() => replicated.close());

  async function logIn(password: string, headers: Record<string, string> = {}) {
    const given = { ...ACCEPT, "Auth-Pass": password, ...headers };
    const { auth, asked } = await replicated.ask(given);
    const told = auth.get("auth-status");
    return { told, version: auth.get("auth-user-version"), asked: [...new Set(asked)] };
  }
  const BOOKMARK = "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683";

  test("a yes by its rows has the version of its rows", async () => {
    const asked = ["replica"];
    assert.deepEqual(await logIn("wonderland"), { told: "OK", version: "1", asked });
  });

  test("a caller with the bookmark of the change gets an answer that knows the change", async () => {
    const headers = { "Auth-Directory-Bookmark": BOOKMARK };
    const old = await logIn("wonderland", headers);
    assert.equal(old.told, "[AUTHENTICATIONFAILED] Invalid login or password");
    const asked = ["caught-up"];
    assert.deepEqual(await logIn("rabbit-hole", headers), { told: "OK", version: "2", asked });
  });

  test("a caller without a bookmark of the change asks for the primary by D1's word", async () => {
    const headers = { "Auth-Directory-Bookmark": "first-primary" };
    const asked = ["primary"];
    assert.deepEqual(await logIn("rabbit-hole", headers), { told: "OK", version: "2", asked });
  });

  test("a yes that only the primary gives has the primary's version", async () => {
    const asked = ["replica", "primary"];
    assert.deepEqual(await logIn("rabbit-hole"), { told: "OK", version: "2", asked });
  });

  for (const malformed of ["two words", "x".repeat(129), ""]) {
    test(`a malformed bookmark is ignored: ${malformed.slice(0, 10)}`, async () => {
      const { asked } = await logIn("wonderland", { "Auth-Directory-Bookmark": malformed });
      assert.deepEqual(asked, ["replica"]);
    });
  }
});
