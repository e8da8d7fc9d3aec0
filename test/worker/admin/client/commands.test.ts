import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { users } from "../../../../worker/directory/schema/index.ts";
import { type AdminCommand, startAdminCommand } from "../../../support/worker/admin-command.ts";
import { BOOTSTRAP_SECRET } from "../../../support/worker/admin.ts";
import { SEALING, seed } from "../../../support/worker/directory.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { startWebServer } from "../../../support/http/web-server.ts";

let admin: AdminCommand;
before(async () => {
  admin = await startAdminCommand({ vars: { SECRET_KEYS: SEALING } });
  await seed(admin.worker.db, {
    groups: [{ name: "mail" }, { name: "other" }],
    servers: [{ name: "m1", group: "mail", host: "192.0.2.1", imapPort: 143 }],
    domains: [{ name: "example.test", group: "mail" }],
  });
});
after(() => admin.worker.dispose());
beforeEach(() => admin.worker.db.delete(users));

test("the commands on resources add, show, list, change and delete", async () => {
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
    [["users", "kick", alice], /^$/],
    [["proxies", "list"], /^$/],
    [["users", "move", alice, "s1"], /server\ts1\n/],
    [["app-passwords", "add", alice, "my phone"], /password\t[a-z2-9]{4}-/],
    [["app-passwords", "delete", alice, "my phone"], /^$/],
    [["secrets", "add", alice, "own"], /^user\talice@example.test\npurpose\town\n$/, "secret\n"],
    [["secrets", "set", alice, "own"], /^user/, "secret of another kind\n"],
    [["secrets", "list", `user=${alice}`], /\nalice@example.test\town\n$/],
    [["tokens", "add", "desk", "role=support", "expires=2030-01-01"], /token\tpostern_/],
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

test("with --json each row is a line of JSON", async () => {
  const made = await admin.run(["groups", "add", "json", "policy=hash", "--json"]);
  assert.partialDeepStrictEqual(JSON.parse(made.stdout), { name: "json", policy: "hash" });
  const { stdout } = await admin.run(["--json", "groups", "list", "j"]);
  const names = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).name);
  assert.deepEqual(names, ["json"]);
  await admin.run(["groups", "delete", "json"]);
});

test("--help describes the commands and the fields of a resource", async () => {
  const env = { POSTERN_ADMIN_URL: admin.worker.url };
  for (const [args, ...patterns] of [
    [["--help"], /^npm run admin --/],
    [["import", "--help"], /--format passwd/],
    [["users", "--help"], /^ {2}users move ADDRESS SERVER\|-$/m, /password +asked for/],
    [
      ["help", "servers"],
      /^ {2}servers list \[PREFIX\] \[group=…\]$/m,
      /state +up, draining, down/,
    ],
    [["proxies", "--help"], /^ {2}proxies list\n$/],
    [["audit", "--help"], /^ {2}audit list \[subject=…\]\n {2}audit show ID\n$/],
    [["secrets", "--help"], /^ {2}secrets add USER PURPOSE$/m, /purpose +own, upstream/],
  ] as const) {
    const { end, stdout } = await admin.runWith(env, args);
    assert.equal(end, 0, args.join(" "));
    for (const pattern of patterns) assert.match(stdout, pattern, args.join(" "));
  }
  const { end, stderr } = await admin.runWith(env, ["cats", "--help"]);
  assert.equal(end, 2);
  assert.match(stderr, /there is no resource cats; the resources are .*users/);
});

test("a command that fails says why in a sentence, and exits with a status", async () => {
  const alice = "alice@example.test";
  const [port] = await freePorts(1);
  const gone = `http://127.0.0.1:${port}`;
  await using elsewhere = await startWebServer((_, answer) => answer.end("<p>It works!"));
  const env = { POSTERN_ADMIN_URL: admin.worker.url, POSTERN_ADMIN_TOKEN: "x" };
  for (const [ran, end, sentence] of [
    [await admin.run([]), 2, /^npm run admin/],
    [await admin.run(["--colour"]), 2, /--colour/],
    [await admin.run(["cats", "list"]), 2, /there is no resource cats; the resources are .*users/],
    [
      await admin.run(["users", "paint", "x"]),
      2,
      /no command users paint; the commands for users are list, show, .*move/,
    ],
    [
      await admin.run(["audit", "set", "7"]),
      2,
      /no command audit set; the commands for audit are list, show$/m,
    ],
    [await admin.run(["users", "set"]), 2, /give the address;/],
    [await admin.run(["secrets", "add", alice]), 2, /give the user and the purpose;/],
    [
      await admin.run(["secrets", "add", alice, "own", "secret=x"]),
      2,
      /all users can see a command line/,
    ],
    [await admin.run(["users", "add", alice, "password=x"]), 2, /all users can see a command line/],
    [await admin.run(["users", "list", "--token", "x"]), 2, /--token/],
    [await admin.run(["users", "list", "colour=red"]), 1, /there is no field colour/],
    [await admin.run(["groups", "delete", "mail"]), 1, /mail is in use by domains and servers/],
    [await admin.run(["tokens", "delete", "first"]), 1, /last token of an admin/],
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
    [await admin.runWith({ ...env, POSTERN_ADMIN_TOKEN: "" }, ["users"]), 2, /POSTERN_ADMIN_TOKEN/],
    [await admin.runWith({ ...env, POSTERN_ADMIN_TOKEN: "x\ny" }, ["users"]), 2, /copy it again/],
    [
      await admin.runWith({ ...env, POSTERN_ADMIN_URL: "localhost:1" }, ["users"]),
      2,
      /not a URL such/,
    ],
    [await admin.runWith({ ...env, POSTERN_ADMIN_URL: gone }, ["users"]), 1, /\(ECONNREFUSED\)/],
    [
      await admin.runWith({ ...env, POSTERN_ADMIN_URL: elsewhere.url }, ["users"]),
      1,
      /does not answer as Postern's worker does/,
    ],
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
