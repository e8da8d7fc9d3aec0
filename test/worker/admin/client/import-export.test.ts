import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { getTableColumns } from "drizzle-orm";
import { users } from "../../../../worker/directory/schema/index.ts";
import { type AdminCommand, startAdminCommand } from "../../../support/worker/admin-command.ts";
import { seed } from "../../../support/worker/directory.ts";
import { ALICE } from "../../../support/worker/harness.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { run } from "../../../support/programs/program.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";
import { startWebServer } from "../../../support/http/web-server.ts";

const HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

let admin: AdminCommand;
let scratch: Awaited<ReturnType<typeof makeScratch>>;
before(async () => {
  [admin, scratch] = await Promise.all([startAdminCommand(), makeScratch()]);
  await seed(admin.worker.db, {
    groups: [{ name: "mail" }, { name: "other" }],
    servers: [{ name: "m1", group: "mail", host: "192.0.2.1", imapPort: 143 }],
    domains: [{ name: "example.test", group: "mail" }],
  });
});
after(() => Promise.all([admin.worker.dispose(), scratch.remove()]));
beforeEach(() => admin.worker.db.delete(users));

async function file(name: string, lines: readonly string[], end = "\n"): Promise<string> {
  const path = join(scratch.path, name);
  await writeFile(path, lines.map((line) => line + end).join(""));
  return path;
}
const { id: _id, version: _version, ...exported } = getTableColumns(users);
const stored = () => admin.worker.db.select(exported).from(users).orderBy(users.address);

const row = (address: string, more: object = {}) => ({
  address: `${address}@example.test`,
  passwordHash: HASH,
  enabled: true,
  imap: true,
  pop3: true,
  smtp: true,
  group: "mail",
  server: null,
  upstreamLogin: null,
  ...more,
});

const files = {
  "a Dovecot passwd-file": [
    "# people",
    "",
    `alice@example.test:{ARGON2ID}${HASH}:1000:1000::/home/alice::userdb_quota_rule=*:storage=1G`,
    `bob@example.test:!${HASH}:::::`,
  ],
  "a shadow file": [
    `alice@example.test:${HASH}:19000:0:99999:7:::`,
    `bob@example.test:!${HASH}:19000:0:99999:7:::`,
  ],
  "an htpasswd file": [`alice@example.test:${HASH}`, `bob@example.test:!${HASH}`],
  "a CSV file with a heading": [
    "Enabled,Address,Hash",
    `true,alice@example.test,"${HASH}"`,
    `false,"bob@example.test","${HASH}"`,
  ],
} as const;

for (const [what, lines] of Object.entries(files)) {
  for (const end of ["\n", "\r\n"]) {
    test(`${what} is recognised and imported, with lines ending in ${JSON.stringify(end)}`, async () => {
      const {
        end: status,
        stdout,
        stderr,
      } = await admin.run(["import", await file("users", lines, end)]);
      assert.equal(stderr, "");
      assert.equal(status, 0);
      assert.equal(stdout, "2 created, 0 updated, 0 unchanged, 0 refused\n");
      const [alice, bob] = await stored();
      const passwordHash = what.includes("Dovecot") ? `{ARGON2ID}${HASH}` : HASH;
      assert.deepEqual(alice, row("alice", { passwordHash }));
      assert.deepEqual(bob, row("bob", { enabled: false }));
    });
  }
}

test("CSV without a heading has the columns address, hash, group", async () => {
  const path = await file("users", [`alice@example.test,"${HASH}",other`]);
  assert.equal((await admin.run(["import", path])).end, 0);
  assert.deepEqual(await stored(), [row("alice", { group: "other" })]);
});

test("an exported file imports as the same users, and a second import changes nothing", async () => {
  const everything = [
    row("alice", { server: "m1", upstreamLogin: 'al "x", y', pop3: false }),
    row("bob", { enabled: false, group: "other" }),
  ];
  for (const [format, expected] of [
    ["csv", everything],
    ["passwd", [row("alice"), row("bob", { enabled: false })]],
    ["shadow", [row("alice"), row("bob", { enabled: false })]],
    ["htpasswd", [row("alice"), row("bob", { enabled: false })]],
  ] as const) {
    await admin.worker.db.delete(users);
    await admin.worker.db.insert(users).values(everything);
    const { stdout } = await admin.run(["export", "--format", format]);
    const path = join(scratch.path, `exported.${format}`);
    assert.equal((await admin.run(["export", path, "--format", format])).end, 0);
    assert.equal(await readFile(path, "utf8"), stdout);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const again = await admin.run(["import", path]);
    assert.equal(again.stdout, "0 created, 0 updated, 2 unchanged, 0 refused\n", format);
    await admin.worker.db.delete(users);
    assert.equal((await admin.run(["import", path])).end, 0);
    assert.deepEqual(await stored(), expected);
  }
});

test("an export leaves out the users that its format cannot hold, and names them", async () => {
  const passwordHash = "{PLAIN}a:b";
  await admin.worker.db.insert(users).values([row("alice"), row("bob", { passwordHash })]);
  for (const format of ["passwd", "shadow", "htpasswd"]) {
    const { end, stdout, stderr } = await admin.run(["export", "--format", format]);
    assert.equal(end, 1);
    assert.match(stdout, /^alice@example\.test:[^\n]*\n$/);
    assert.match(stderr, /^bob@example\.test: left out/);
  }
  const { end, stdout } = await admin.run(["export"]);
  assert.equal(end, 0);
  assert.match(stdout, /^bob@example\.test,\{PLAIN\}a:b,/m);
});

test("an export that fails leaves no file", async () => {
  await admin.worker.db.insert(users).values([row("alice")]);
  const path = join(scratch.path, "half.csv");
  await using half = await startWebServer((request, answer) => {
    const isFirst = request.url === "/admin/api/export?";
    answer.writeHead(isFirst ? 200 : 400).end(JSON.stringify({ items: [row("alice")], next: "x" }));
  });
  const env = { ...admin.env, POSTERN_ADMIN_URL: half.url };
  const { end } = await admin.runWith(env, ["export", path]);
  assert.equal(end, 1);
  await assert.rejects(stat(path));
});

test("an import reports every refused line by its number, and takes the others", async () => {
  const good = Array.from({ length: 1500 }, (_, index) => `u${index}@example.test:${HASH}`);
  const path = await file("users", [
    "alice@example.test:plain-text",
    ...good,
    "x@elsewhere.test:" + HASH,
    "*:*",
    "nobody@example.test:*",
    ":" + HASH,
    "U7@example.test:" + HASH,
  ]);
  const { end, stdout, stderr } = await admin.run(["import", path]);
  assert.equal(end, 1);
  assert.equal(stdout, "1500 created, 0 updated, 0 unchanged, 6 refused\n");
  const lines = stderr
    .trim()
    .split("\n")
    .map((line) => line.replace(`${path}:`, ""));
  const expected = [
    /^1: alice@example.test: .*no known scheme; the user needs a new password$/,
    /^1502: x@elsewhere.test: no group is given/,
    /^1503: \*: there is no password; add the user with a new one/,
    /^1504: nobody@example.test: there is no password/,
    /^1505: there is no name/,
    /^1506: U7@example.test: line 9 has this address already/,
  ];
  for (const pattern of expected)
    assert.ok(
      lines.some((line) => pattern.test(line)),
      `${pattern}`,
    );
  assert.equal(lines.length, expected.length);
  assert.ok(!stderr.includes("plain-text") && !stderr.includes("argon2"));
});

test("an import that was cut short continues from the line that it names", async () => {
  const lines = [
    "address,hash",
    ...["a", "b", "c"].map((name) => `${name}@example.test,"${HASH}"`),
  ];
  const path = await file("users.csv", lines);
  const [port] = await freePorts(1);
  const gone = { POSTERN_ADMIN_URL: `http://127.0.0.1:${port}`, POSTERN_ADMIN_TOKEN: "x" };
  const cut = await admin.runWith(gone, ["import", path, "--from", "3"]);
  assert.equal(cut.end, 1);
  assert.match(cut.stderr, /cannot be reached \(ECONNREFUSED\); continue with --from 3/);
  const { stdout } = await admin.run(["import", path, "--from", "3"]);
  assert.equal(stdout, "2 created, 0 updated, 0 unchanged, 0 refused\n");
});

test("lines that are not UTF-8, files of unknown format, and files that cannot be read are refused", async () => {
  const path = join(scratch.path, "latin1");
  await writeFile(path, Buffer.from(`\xe4rger@example.test:${HASH}\n`, "latin1"));
  const { end, stderr } = await admin.run(["import", path]);
  assert.equal(end, 1);
  assert.match(stderr, /latin1:1: the line is not UTF-8/);
  const strange = await admin.run(["import", await file("strange", ["hello"])]);
  assert.equal(strange.end, 2);
  assert.match(strange.stderr, /--format \(csv, passwd, shadow, htpasswd\)/);
  for (const name of ["missing", "."]) {
    const unreadable = await admin.run(["import", join(scratch.path, name)]);
    assert.equal(unreadable.end, 2);
    assert.match(unreadable.stderr, /cannot be read\n$/);
  }
  const there = await admin.run(["export", path]);
  assert.equal(there.end, 2);
  assert.match(there.stderr, /exists already\n$/);
});

test("hashes that doveadm makes are imported and verified", async (t) => {
  const made = await run("doveadm", ["pw", "-s", "ARGON2ID", "-p", "wonderland"]);
  if (made.end !== 0) return t.skip("no doveadm");
  const path = await file("users", [`alice@example.test:${made.stdout.trim()}:::::::`]);
  assert.equal((await admin.run(["import", path])).end, 0);
  await admin.run(["users", "move", "alice@example.test", "m1"]);
  const { headers } = await fetch(`${admin.worker.url}/auth`, {
    headers: { ...ALICE, "X-Auth-Key": "development" },
  });
  assert.equal(headers.get("Auth-Status"), "OK");
});

test("with --json an import prints its counts as JSON", async () => {
  const path = await file("users", [`alice@example.test:${HASH}`, "bob@example.test:x"]);
  const imported = await admin.run(["import", path, "--json"]);
  assert.deepEqual(JSON.parse(imported.stdout), {
    created: 1,
    updated: 0,
    unchanged: 0,
    refused: 1,
  });
});
