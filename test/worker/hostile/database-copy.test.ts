// A thief of the database, without the worker's secrets, has no password, app password, token or sealed secret.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import { readKeys } from "../../../worker/secrets/index.ts";
import { type Admin, BOOTSTRAP_SECRET, startAdmin, tokenOf } from "../../support/worker/admin.ts";
import { ONE_SERVER } from "../../support/worker/directory.ts";
import { assertTellsNoSecret, secret } from "../../support/secrets.ts";

const alice = "alice@example.test";
const SECRET_KEYS = `k1:${randomBytes(32).toString("base64")}`;

/** Passwords that people choose. No fast digest of one may be in the database, since such a digest can be guessed. */
const CHOSEN = {
  own: secret("correct horse battery"),
  changed: secret("stapled-horses-2"),
  imported: secret("imported-from-courier"),
  sealedOwn: secret("sealed-for-cram-md5"),
  upstream: secret("upstream-of-alice"),
};

const OTHERS = { master: secret("master-of-all-mail"), lookup: secret("canary-lookup-key-1") };

/** Made by the worker, from 120 random bits. */
const made: string[] = [];

let admin: Admin;
/** Each table of the copy, and its rows. */
let copy: ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>;

before(async () => {
  admin = await startAdmin({
    secrets: {
      LOOKUP_KEYS: OTHERS.lookup,
      ADMIN_BOOTSTRAP: BOOTSTRAP_SECRET,
      SECRET_KEYS: secret(SECRET_KEYS),
      MASTER_PASSWORDS: JSON.stringify({ postmaster: OTHERS.master }),
    },
    seed: { ...ONE_SERVER, domains: [{ name: "example.test", group: "mail" }] },
  });
  const post = async (path: string, body: unknown) => {
    const answer = await admin.call("admin", "POST", path, body);
    assert.ok(answer.status < 300, `${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await post("/users", { address: alice, password: CHOSEN.own });
  await post("/users", { address: "bob@example.test", password: CHOSEN.own });
  await post(`/users/bob@example.test/password`, { password: CHOSEN.changed });
  // A salted hash of a weaker scheme, which the login replaces.
  const salt = "pepper";
  const digest = createHash("sha512").update(CHOSEN.imported + salt);
  const passwordHash = `{SSHA512}${Buffer.concat([digest.digest(), Buffer.from(salt)]).toString("base64")}`;
  await post("/import", { users: [{ address: "carol@example.test", passwordHash }] });
  for (const [purpose, text] of [
    ["own", CHOSEN.sealedOwn],
    ["upstream", CHOSEN.upstream],
  ] as const) {
    await post("/secrets", { user: alice, purpose, secret: text });
    await post("/secrets", { user: "bob@example.test", purpose, secret: text });
  }
  for (const label of ["phone", "laptop"]) {
    made.push(secret((await post("/app-passwords", { user: alice, label })).password));
  }
  for (const role of ["admin", "fleet"]) {
    made.push(secret((await post("/tokens", { name: `new-${role}`, role })).token));
  }
  // Logins write too: placements, known networks, the use of app passwords, new hashes, counted failures.
  for (const [login, password, status] of [
    [alice, CHOSEN.own, 200],
    [alice, made[0], 200],
    ["bob@example.test", CHOSEN.changed, 200],
    ["carol@example.test", CHOSEN.imported, 200],
    [alice, CHOSEN.changed, 200],
    // Mail programs show the password in the wrong field now and then.
    [CHOSEN.own, alice, 200],
  ] as const) {
    const answer = await ask(login, password!);
    assert.equal(answer.status, status);
  }
  await post(`/users/${alice}/kick`, {});
  await admin.call("admin", "GET", "/export");
  copy = await dump();
});
after(() => admin.close());

const ask = (login: string, password: string) =>
  admin.ask({
    "X-Auth-Key": OTHERS.lookup,
    "Auth-User": encodeURIComponent(login),
    "Auth-Pass": encodeURIComponent(password),
  });

async function dump() {
  const tables = await admin.db.all<{ name: string }>(
    sql`select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'`,
  );
  const rows = new Map<string, readonly Record<string, unknown>[]>();
  for (const { name } of tables) {
    rows.set(name, await admin.db.all(sql`select * from ${sql.identifier(name)}`));
  }
  return rows;
}

/** All that the copy says, with blobs in hex. */
function textOf(tables: typeof copy): string {
  return JSON.stringify([...tables], (_, value: unknown) =>
    Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "number")
      ? Buffer.from(value).toString("hex")
      : value,
  );
}

/** All digests of a text that cost a guess nothing, as a database could hold them. */
function fastDigests(text: string): string[] {
  return ["md5", "sha1", "sha256", "sha384", "sha512"].flatMap((algorithm) => {
    const digest = createHash(algorithm).update(text).digest();
    return [
      digest.toString("hex"),
      digest.toString("hex").toUpperCase(),
      digest.toString("base64").replaceAll("=", ""),
      digest.toString("base64url"),
    ];
  });
}

test("the copy has every kind of row that a login reads", () => {
  for (const [table, least] of [
    ["users", 3],
    ["app_passwords", 2],
    ["secrets", 4],
    ["admin_tokens", 5],
    ["audit", 10],
  ] as const) {
    assert.ok((copy.get(table)?.length ?? 0) >= least, table);
  }
});

test("the copy tells no password, app password or token, in any encoding", () => {
  assertTellsNoSecret("the copy", textOf(copy));
});

test("the copy has no fast digest of a password that a person chose", () => {
  const text = textOf(copy);
  for (const [which, password] of Object.entries({ ...CHOSEN, ...OTHERS })) {
    for (const digest of fastDigests(password)) assert.ok(!text.includes(digest), which);
  }
  // The search finds those of app passwords, which are too long to guess.
  assert.ok(fastDigests(made[0]!).some((digest) => text.includes(digest)));
});

test("the search would find a password that is told", () => {
  const told = new Map([...copy, ["leak", [{ text: `x${CHOSEN.own}y` }]]]);
  assert.throws(() => assertTellsNoSecret("the copy", textOf(told)), /correct horse/);
});

test("equal passwords and secrets look different in each row", () => {
  const users = copy.get("users") ?? [];
  const sealed = (copy.get("secrets") ?? []).map((row) => String(row["sealed"]));
  const hashes = users.map((row) => String(row["password_hash"]));
  assert.equal(new Set(hashes).size, hashes.length);
  assert.equal(new Set(sealed).size, sealed.length);
  for (const hash of hashes) assert.match(hash, /^\$argon2id\$/);
});

test("a sealed secret opens with the worker's key alone, and only for its user and purpose", async () => {
  const rows = copy.get("secrets") ?? [];
  const values = [...copy.values()].flat().flatMap((row) => Object.values(row).map(String));
  const guesses = [
    Buffer.alloc(32),
    Buffer.alloc(32, 0xff),
    ...[...values, ...Object.values(OTHERS), tokenOf("admin")].map((value) =>
      createHash("sha256").update(value).digest(),
    ),
  ];
  const right = readKeys(SECRET_KEYS)!;
  for (const row of rows) {
    const [user, sealed] = [String(row["user"]), String(row["sealed"])];
    const purpose = row["purpose"] as "own" | "upstream";
    const expected = purpose === "own" ? CHOSEN.sealedOwn : CHOSEN.upstream;
    assert.equal(await right.open(sealed, { user, purpose }), expected);
    for (const other of [
      { user: "eve@example.test", purpose },
      { user, purpose: purpose === "own" ? ("upstream" as const) : ("own" as const) },
    ]) {
      await assert.rejects(right.open(sealed, other));
    }
    for (const guess of guesses) {
      const keys = readKeys(`k1:${guess.toString("base64")}`)!;
      await assert.rejects(keys.open(sealed, { user, purpose }));
    }
  }
});

test("a value of the copy is no token, no lookup key and no password", async () => {
  const rows = [...(copy.get("admin_tokens") ?? []), ...(copy.get("app_passwords") ?? [])];
  for (const { digest } of rows) {
    const headers = { Authorization: `Bearer ${String(digest)}`, "X-Auth-Key": String(digest) };
    assert.equal((await admin.ask(headers, "/admin/api/users")).status, 401);
    assert.equal((await admin.ask(headers)).status, 403);
  }
  for (const { address, password_hash: hash } of copy.get("users") ?? []) {
    const answer = await ask(String(address), String(hash));
    assert.match(answer.auth["auth-status"]!, /AUTHENTICATIONFAILED/);
  }
});
