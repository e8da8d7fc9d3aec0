import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { users } from "../../../worker/directory/schema/index.ts";
import { type AdminCommand, startAdminCommand } from "../../support/admin-command.ts";
import { BOOTSTRAP_SECRET } from "../../support/admin.ts";
import { seed } from "../../support/directory.ts";
import { freePorts } from "../../support/ports.ts";
import { run } from "../../support/program.ts";
import { makeScratch } from "../../support/scratch.ts";

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
const stored = () => admin.worker.db.select().from(users).orderBy(users.address);

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
    test(`${what} is recognised and taken, lines ending in ${JSON.stringify(end)}`, async () => {
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

test("CSV without a heading is address, hash, group", async () => {
  const path = await file("users", [`alice@example.test,"${HASH}",other`]);
  assert.equal((await admin.run(["import", path])).end, 0);
  assert.deepEqual(await stored(), [row("alice", { group: "other" })]);
});

test("an exported file gives the same users back, and a second import changes nothing", async () => {
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

test("every refused line is told by its number, and the others are taken", async () => {
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
    /^1: .*scheme/,
    /^1502: no group is given/,
    /^1503: \* has no password/,
    /^1504: nobody@example.test has no password/,
    /^1505: there is no name/,
    /^1506: U7@example.test is on line 9 already/,
  ];
  for (const pattern of expected)
    assert.ok(
      lines.some((line) => pattern.test(line)),
      `${pattern}`,
    );
  assert.equal(lines.length, expected.length);
  assert.ok(!stderr.includes("plain-text") && !stderr.includes("argon2"));
});

test("an import that was cut short goes on from the line that it names", async () => {
  const lines = [
    "address,hash",
    ...["a", "b", "c"].map((name) => `${name}@example.test,"${HASH}"`),
  ];
  const path = await file("users.csv", lines);
  const [port] = await freePorts(1);
  const gone = { POSTERN_ADMIN_URL: `http://127.0.0.1:${port}`, POSTERN_ADMIN_TOKEN: "x" };
  const cut = await admin.runWith(gone, ["import", path, "--from", "3"]);
  assert.equal(cut.end, 1);
  assert.match(cut.stderr, /cannot be reached; go on later with --from 3/);
  const { stdout } = await admin.run(["import", path, "--from", "3"]);
  assert.equal(stdout, "2 created, 0 updated, 0 unchanged, 0 refused\n");
});

test("bytes that are no UTF-8, and files of no format, are refused", async () => {
  const path = join(scratch.path, "latin1");
  await writeFile(path, Buffer.from(`\xe4rger@example.test:${HASH}\n`, "latin1"));
  const { end, stderr } = await admin.run(["import", path]);
  assert.equal(end, 1);
  assert.match(stderr, /latin1:1: it is not UTF-8/);
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
  assert.match(there.stderr, /is there already\n$/);
});

test("hashes that doveadm makes are taken and verified", async (t) => {
  const made = await run("doveadm", ["pw", "-s", "ARGON2ID", "-p", "wonderland"]);
  if (made.end !== 0) return t.skip("no doveadm");
  const path = await file("users", [`alice@example.test:${made.stdout.trim()}:::::::`]);
  assert.equal((await admin.run(["import", path])).end, 0);
  await admin.run(["users", "move", "alice@example.test", "m1"]);
  const { headers } = await fetch(`${admin.worker.url}/auth`, {
    headers: {
      "X-Auth-Key": "development",
      "Auth-Method": "plain",
      "Auth-User": "alice@example.test",
      "Auth-Pass": "wonderland",
      "Auth-Protocol": "imap",
      "Auth-Login-Attempt": "1",
      "Client-IP": "192.0.2.1",
    },
  });
  assert.equal(headers.get("Auth-Status"), "OK");
});

test("the small commands add, show, list, change and delete", async () => {
  const alice = "alice@example.test";
  const steps: [string[], RegExp, string?][] = [
    [["groups", "add", "new", "policy=first"], /^name\tnew\npolicy\tfirst\n/],
    [["servers", "add", "s1", "group=new", "host=192.0.2.9", "imapPort=143"], /imapPort\t143\n/],
    [["servers", "set", "s1", "state=draining", "tlsName=", "latitude=1.5"], /state\tdraining\n/],
    [["users", "add", alice, "group=new"], /^address\talice@example.test\n/, "secret\n"],
    [["users", "list", "al", "group=new"], /^address\t[^\n]*\nalice@example.test\ttrue\t/],
    [["users", "list", "group=mail"], /^$/],
    [["users", "disable", alice], /enabled\tfalse\n/],
    [["users", "enable", alice], /enabled\ttrue\n/],
    [["users", "set", alice, "imap=false", "upstreamLogin=a=b"], /imap\tfalse\n[^]*a=b\n/],
    [["users", "password", alice], /^address/, "other\n"],
    [["users", "move", alice, "s1"], /server\ts1\n/],
    [["app-passwords", "add", alice, "my phone"], /password\t[a-z2-9]{4}-/],
    [["app-passwords", "delete", alice, "my phone"], /^$/],
    [["tokens", "add", "desk", "role=support"], /token\tpostern_/],
    [["tokens", "list"], /\ndesk\tsupport\t/],
    [["audit", "list", `subject=${alice}`], /\tuser.move\talice@example.test\t/],
    [["users", "delete", alice], /^$/],
    [["servers", "delete", "s1"], /^$/],
  ];
  for (const [args, output, input] of steps) {
    const { end, stdout, stderr } = await admin.run(args, input);
    assert.equal(end, 0, `${args.join(" ")}: ${stderr}`);
    assert.match(stdout, output, args.join(" "));
    assert.ok(!stdout.includes("secret"));
  }
});

test("what is not done is told in a sentence, with a status", async () => {
  const env = { POSTERN_ADMIN_URL: admin.worker.url, POSTERN_ADMIN_TOKEN: "x" };
  for (const [ran, end, sentence] of [
    [await admin.run([]), 2, /^npm run admin/],
    [await admin.run(["--colour"]), 2, /--colour/],
    [await admin.run(["cats", "list"]), 2, /cats is none of .*users/],
    [await admin.run(["users", "paint", "x"]), 2, /paint is none of/],
    [await admin.run(["users", "set"]), 2, /name it by address/],
    [await admin.run(["groups", "add", "x", "y"]), 2, /FIELD=VALUE/],
    [await admin.run(["users", "show", "nobody@example.test"]), 1, /there is no user nobody/],
    [await admin.run(["servers", "add", "x", "group=mail", "host=h", "imapPort=x"]), 1, /imapPort/],
    [await admin.run(["users", "add", "x@example.test"]), 2, /standard input/],
    [await admin.run(["bootstrap"]), 1, /ADMIN_BOOTSTRAP/],
    [await admin.runWith(env, ["users", "list"]), 1, /the token is unknown/],
    [
      await admin.runWith({ ...env, POSTERN_ADMIN_URL: "http://example.test" }, ["users"]),
      2,
      /https/,
    ],
    [await admin.runWith({}, ["users", "list"]), 2, /POSTERN_ADMIN_URL/],
    [
      await admin.runWith({ ...env, POSTERN_ADMIN_TOKEN: BOOTSTRAP_SECRET }, [
        "bootstrap",
        "again",
      ]),
      1,
      /there is a token already/,
    ],
  ] as const) {
    assert.match(ran.stderr, sentence);
    assert.equal(ran.end, end, ran.stderr);
    assert.doesNotMatch(ran.stderr, /\n +at /);
  }
});
