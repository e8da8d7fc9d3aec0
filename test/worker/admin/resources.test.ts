import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Admin, startAdmin } from "../../support/worker/admin.ts";
import { SEALING } from "../../support/worker/directory.ts";

let admin: Admin;
before(async () => {
  admin = await startAdmin({
    secrets: { LOOKUP_KEYS: "key", SECRET_KEYS: SEALING },
    vars: { DEFAULT_DOMAIN: "example.test" },
    seed: {
      groups: [{ name: "mail" }, { name: "pool", storage: "shared" }],
      servers: [
        { name: "m1", group: "mail", host: "192.0.2.1", imapPort: 143 },
        { name: "m2", group: "mail", host: "192.0.2.2", imapPort: 143 },
      ],
      domains: [{ name: "example.test", group: "mail" }],
      users: [{ address: "bob@example.test", group: "mail", passwordHash: "x", server: "m1" }],
    },
  });
});
after(() => admin.close());

const as = (method: string, path: string, body?: unknown) =>
  admin.call("admin", method, path, body);

/** The life of a row: what creates it, how it is shown, its path, a change, and rows that are refused. */
interface Life {
  readonly path: string;
  readonly create: Record<string, unknown>;
  readonly shown: Record<string, unknown>;
  readonly at: string;
  readonly change?: Record<string, unknown>;
  readonly wrong: readonly Record<string, unknown>[];
}

const lives: readonly Life[] = [
  {
    path: "/users",
    create: {
      address: "Alice",
      passwordHash: `$argon2id$v=19$m=19456,t=2,p=1$${"A".repeat(22)}$${"A".repeat(43)}`,
    },
    shown: { address: "alice@example.test", group: "mail", server: null, enabled: true },
    at: "/ALICE@Example.TEST",
    change: { enabled: false, imap: false, upstreamLogin: "al" },
    wrong: [
      { address: "x y", group: "mail", password: "p" },
      { address: "x@elsewhere.test", password: "p" },
      { address: "x", group: "mail" },
      { address: "x", group: "mail", password: "p", passwordHash: "q" },
      { address: "x", group: "mail", passwordHash: "$unknown$" },
      { address: "x", group: "mail", password: "a\nb" },
      { address: "x", group: "mail", password: "" },
      { address: "x", group: "mail", password: "ü".repeat(256) },
      { address: "x", group: "mail", passwordHash: "{SSHA}a\nb" },
    ],
  },
  {
    path: "/aliases",
    create: { address: "Robert@example.test", user: "BOB@example.test" },
    shown: { address: "robert@example.test", user: "bob@example.test" },
    at: "/robert@example.test",
    wrong: [{ address: "x@example.test" }, { address: "\u0007", user: "bob@example.test" }],
  },
  {
    path: "/app-passwords",
    create: { user: "bob", label: "my phone / work", pop3: false, expires: "2030-01-01T00:00:00Z" },
    shown: { user: "bob@example.test", label: "my phone / work", imap: true, pop3: false },
    at: `/bob/${encodeURIComponent("my phone / work")}`,
    change: { smtp: false, expires: null },
    wrong: [
      { user: "bob", label: "" },
      { user: "bob", label: "x", expires: "tomorrow" },
      { user: "bob", label: "x", digest: "00" },
    ],
  },
  {
    path: "/certificates",
    create: { user: "bob", kind: "subject", value: "/CN=Bob/O=Örg %2F", issuer: "CN=root" },
    shown: {
      user: "bob@example.test",
      kind: "subject",
      value: "/CN=Bob/O=Örg %2F",
      issuer: "CN=root",
    },
    at: `/bob/subject/${encodeURIComponent("/CN=Bob/O=Örg %2F")}`,
    change: { issuer: "CN=another root" },
    wrong: [
      { user: "bob", kind: "smell", value: "x" },
      { user: "bob", kind: "subject", value: "CN=x" },
      { user: "bob", kind: "subject", value: "CN=x", issuer: "" },
      { user: "bob", kind: "fingerprint", value: "00", issuer: "CN=root" },
    ],
  },
  {
    path: "/secrets",
    create: { user: "bob", purpose: "upstream", secret: "Bob's 100%" },
    shown: { user: "bob@example.test", purpose: "upstream" },
    at: "/bob/upstream",
    wrong: [
      { user: "bob", purpose: "own" },
      { user: "bob", purpose: "other", secret: "x" },
      { user: "bob", purpose: "own", sealed: "k1:AAAA" },
      { user: "bob", purpose: "own", secret: "x ".repeat(200) },
      { user: "bob", purpose: "own", secret: " x" },
      { user: "bob", purpose: "own", secret: "schl\u00fcssel" },
      { user: "bob", purpose: "own", secret: "" },
    ],
  },
  {
    path: "/groups",
    create: { name: "new", policy: "hash" },
    shown: { name: "new", policy: "hash", storage: "own", upstreamAuth: "client" },
    at: "/new",
    change: { storage: "shared", upstreamAuth: "master", masterUser: "postern" },
    wrong: [
      { name: "x", storage: "none" },
      { name: "x", upstreamAuth: "none" },
      { name: "x", upstreamAuth: "master" },
    ],
  },
  {
    path: "/servers",
    create: { name: "m9", group: "mail", host: "imap.example.test", imapPort: 993, tls: "tls" },
    shown: { name: "m9", host: "imap.example.test", imapPort: 993, state: "up", weight: 1 },
    at: "/m9",
    change: { state: "draining", weight: 7, latitude: 52.5, longitude: 13.4 },
    wrong: [
      { name: "x", group: "mail", host: "a b" },
      { name: "x", group: "mail", host: "1.2.3.4", imapPort: 65_536 },
      { name: "x", group: "mail", host: "1.2.3.4", weight: 0 },
      { name: "x", group: "mail", host: "1.2.3.4", latitude: 91 },
    ],
  },
  {
    path: "/domains",
    create: { name: "New.Test", group: "mail" },
    shown: { name: "new.test", group: "mail", recipients: "known" },
    at: "/NEW.test",
    change: { recipients: "any" },
    wrong: [{ name: "x", group: "mail", recipients: "some" }],
  },
  {
    path: "/networks",
    create: { network: "2001:DB8:0::77/32", access: "deny" },
    shown: { network: "2001:db8::/32", access: "deny", group: null },
    at: `/${encodeURIComponent("2001:db8::/32")}`,
    change: { access: "allow", group: "pool" },
    wrong: [{ network: "everywhere" }, { network: "10.0.0.0/33" }],
  },
];

for (const { path, create, shown, at, change, wrong } of lives) {
  test(`${path}: a row is created, shown, changed and deleted, and the audit records each change`, async () => {
    const last = (await as("GET", "/audit")).body.items[0]?.id ?? 0;
    const created = await as("POST", path, create);
    assert.equal(created.status, 201, JSON.stringify(created.body));
    assert.partialDeepStrictEqual(created.body, shown);
    assert.equal((await as("POST", path, create)).status, 409);

    const read = await as("GET", path + at);
    assert.equal(read.status, 200);
    assert.partialDeepStrictEqual(read.body, shown);
    const list = await admin.call("read", "GET", path);
    assert.ok(list.body.items.some((item: object) => isSame(item, read.body)));

    if (change !== undefined) {
      const changed = await as("PATCH", path + at, change);
      assert.equal(changed.status, 200, JSON.stringify(changed.body));
      assert.deepEqual(changed.body, { ...read.body, ...change });
      assert.deepEqual((await as("PATCH", path + at, {})).body, changed.body);
      assert.equal((await as("PATCH", path + at, { bogus: 1 })).status, 400);
    }
    assert.equal((await as("DELETE", path + at)).status, 204);
    for (const method of ["GET", "DELETE", ...(change === undefined ? [] : ["PATCH"])]) {
      const answer = await as(method, path + at, method === "PATCH" ? change : undefined);
      assert.equal(answer.status, 404, method);
    }
    const audit = (await as("GET", "/audit")).body.items.filter(
      ({ id }: { id: number }) => id > last,
    );
    const verbs = audit.map(({ action }: { action: string }) => action.split(".")[1]).toReversed();
    assert.deepEqual(verbs, ["create", ...(change === undefined ? [] : ["update"]), "delete"]);
    assert.ok(audit.every(({ actor }: { actor: string }) => actor === "admin"));
  });

  test(`${path}: a malformed row is refused in a sentence`, async () => {
    for (const row of [...wrong, {}, { ...create, bogus: true }]) {
      const { status, body } = await as("POST", path, row);
      assert.equal(status, 400, JSON.stringify({ row, body }));
      assert.ok(body.error.length > 10);
    }
  });
}

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

test("a row refers only to rows that exist, and is not deleted before the rows that refer to it", async () => {
  for (const [path, row] of [
    ["/users", { address: "x", group: "none", password: "p" }],
    ["/aliases", { address: "x", user: "nobody" }],
    ["/app-passwords", { user: "nobody", label: "x" }],
    ["/servers", { name: "x", group: "none", host: "192.0.2.1" }],
    ["/networks", { network: "10.0.0.0/8", group: "none" }],
  ] as const) {
    const { status, body } = await as("POST", path, row);
    assert.equal(status, 409, path);
    assert.match(
      body.error,
      /^there is no (group none|user nobody@example\.test): create it first$/,
    );
  }
  for (const [path, namers] of [
    ["/groups/mail", "users and servers and domains"],
    ["/servers/m1", "users"],
  ] as const) {
    const { status, body } = await as("DELETE", path);
    assert.equal(status, 409, path);
    for (const namer of namers.split(" and ")) assert.ok(body.error.includes(namer), body.error);
    assert.match(body.error, /move, change or delete those first$/);
  }
  const { status, body } = await as("PATCH", "/servers/m1", { group: "none" });
  assert.equal(status, 409);
  assert.match(body.error, /^there is no group none: create it first$/);
});

test("no alias has a user's address, and no user has an alias's address", async () => {
  assert.equal((await as("POST", "/aliases", { address: "bob", user: "bob" })).status, 409);
  await as("POST", "/aliases", { address: "both", user: "bob" });
  const { status, body } = await as("POST", "/users", { address: "both", password: "p" });
  assert.equal(status, 409);
  assert.match(body.error, /alias of bob@example.test/);
});

test("names are data: SQL, quotes, percent signs and other scripts come back unchanged", async () => {
  for (const name of ["'; drop table users; --", '"', "%_", "../..", "Ünï 名", "a\u202eb"]) {
    assert.equal((await as("POST", "/groups", { name })).status, 201);
    const path = `/groups/${encodeURIComponent(name).replaceAll(".", "%2E")}`;
    if (name !== "../..") assert.equal((await as("GET", path)).body.name, name);
    const found = await as("GET", `/groups?prefix=${encodeURIComponent(name)}`);
    assert.deepEqual(
      found.body.items.map((item: { name: string }) => item.name),
      [name],
    );
  }
});

test("only a move changes the server, and with own storage a user always has one", async () => {
  const at = "/users/bob@example.test";
  for (const body of [{ server: "m2" }, { passwordHash: "x" }, { address: "x" }]) {
    assert.equal((await as("PATCH", at, body)).status, 400);
  }
  await as("PATCH", at, { group: "mail", enabled: true });
  assert.equal((await as("GET", at)).body.server, "m1");
  const moved = await as("POST", `${at}/move`, { server: "m2" });
  assert.equal(moved.body.server, "m2");
  assert.equal((await as("POST", `${at}/move`, { server: "none" })).status, 409);
  const homeless = await as("POST", `${at}/move`, { server: null });
  assert.equal(homeless.status, 409);
  assert.match(homeless.body.error, /name the server/);
  await as("PATCH", at, { group: "pool" });
  assert.equal((await as("POST", `${at}/move`, { server: null })).body.server, null);
  await as("PATCH", at, { group: "mail" });
  const { items } = (await as("GET", "/audit?subject=bob@example.test")).body;
  const moves = items.filter(({ action }: { action: string }) => action === "user.move");
  assert.deepEqual(
    moves.map(({ details }: { details: string }) => details),
    ['{"server":null}', '{"server":"m2"}'],
  );
});
