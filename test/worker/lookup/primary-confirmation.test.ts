import assert from "node:assert/strict";
import { test } from "node:test";
import type { DirectorySession } from "../../../worker/directory/session.ts";
import type { UserEntry, FoundUser } from "../../../worker/directory/users.ts";
import { confirm } from "../../../worker/lookup/find.ts";

const nearest = { mayBeStale: true } as DirectorySession;
const primary = { mayBeStale: false } as DirectorySession;

const USER = {
  address: "alice@example.test",
  passwordHash: "hash",
  enabled: true,
  imap: true,
  pop3: true,
  smtp: true,
  group: "mail",
  server: null,
  upstreamLogin: null,
  id: "AAAAAAAAAAAAAAAAAAAAAA",
  version: 1,
};

type Changes = Partial<Omit<UserEntry, "user">> & { readonly user?: Partial<UserEntry["user"]> };

function found({ user, ...rest }: Changes = {}): FoundUser {
  const entry = {
    user: { ...USER, ...user },
    group: { storage: "own" },
    appPassword: null,
    certified: false,
    ...rest,
  } as UserEntry;
  return { entry, admitted: true, domain: null };
}

const NOBODY: FoundUser = { entry: null, admitted: true, domain: null };

/** Counts the verifications, given the rows of the replica and of the primary. */
async function verifications(replica: FoundUser, known: FoundUser) {
  let times = 0;
  await confirm(
    { nearest, primary },
    async (session) => (session === nearest ? replica : known),
    () => {
      times += 1;
      return { kind: "refused", reason: "wrong-credentials" };
    },
  );
  return times;
}

test("a wrong guess costs no second hash, for a user and for an unknown user", async () => {
  assert.equal(await verifications(found(), found()), 1);
  assert.equal(await verifications(NOBODY, NOBODY), 1);
});

test("rows that do not decide the login, such as the last success, cause no second hash", async () => {
  const news = { lastSuccess: new Date(), user: { server: "m1" } };
  assert.equal(await verifications(found(), found(news)), 1);
});

for (const [what, news] of Object.entries<FoundUser>({
  "another password": found({ user: { passwordHash: "other" } }),
  "a user enabled": found({ user: { enabled: false } }),
  "a protocol allowed": found({ user: { imap: false } }),
  "another user of that alias": found({ user: { address: "bob@example.test" } }),
  "a certificate": found({ certified: true }),
  "a sealed password": found({ ownSecret: "k1:AAAA" }),
  "no such user": NOBODY,
  "a network denied": { ...found(), admitted: false },
})) {
  test(`a row that differs at the primary is verified again: ${what}`, async () => {
    assert.equal(await verifications(found(), news), 2);
    assert.equal(await verifications(news, found()), 2);
  });
}

test("a login that places its user is judged by the primary's rows, and is verified again only if they differ", async () => {
  const placed = { user: { server: "m1", version: 2 } };
  for (const [known, times] of [
    [found(placed), 1],
    [found({ user: { passwordHash: "other", version: 2 } }), 2],
  ] as const) {
    let verified = 0;
    const { verdict } = await confirm(
      { nearest, primary },
      async (session) => (session === nearest ? found() : known),
      ({ entry }) => {
        verified += 1;
        return { kind: "verified", entry: entry! };
      },
    );
    assert.equal(verified, times);
    assert.deepEqual(verdict, { kind: "verified", entry: known.entry });
  }
});

test("a login of a placed user is looked up once, and keeps the version of the rows that it was verified by", async () => {
  const { verdict } = await confirm(
    { nearest, primary },
    async (session) => found({ user: { server: "m1", version: session === nearest ? 1 : 2 } }),
    ({ entry }) => ({ kind: "verified", entry: entry! }),
  );
  assert.equal(verdict.kind === "verified" && verdict.entry.user.version, 1);
});

test("a blocked login is looked up once", async () => {
  let asked = 0;
  const confirmed = await confirm(
    { nearest, primary },
    async () => {
      asked += 1;
      return found();
    },
    () => ({ kind: "blocked" }),
  );
  assert.deepEqual(confirmed.verdict, { kind: "blocked" });
  assert.equal(asked, 1);
});

test("an error of the verification is not an error of the primary", async () => {
  const failing = confirm(
    { nearest, primary },
    async (session) => (session === nearest ? NOBODY : found()),
    ({ entry }) => {
      if (entry !== null) throw new Error("a secret is broken");
      return { kind: "refused", reason: "wrong-credentials" };
    },
  );
  await assert.rejects(failing, /a secret is broken/);
});
