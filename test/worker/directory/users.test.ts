import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import { DirectorySession } from "../../../worker/directory/session.ts";
import {
  type UserEntry,
  type SearchTerms,
  findUser,
  placeUser,
} from "../../../worker/directory/users.ts";
import { parseIp } from "../../../shared/address.ts";
import { knownNetworks } from "../../../worker/directory/schema/index.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";

const passwordHash = "x";
let worker: Harness;
before(async () => {
  worker = await startHarness({
    seed: {
      groups: [{ name: "mail" }, { name: "empty" }],
      servers: [
        { name: "m1", group: "mail", host: "192.0.2.1", imapPort: 143 },
        { name: "m2", group: "mail", host: "192.0.2.2", imapPort: 143 },
        { name: "m3", group: "mail", host: "192.0.2.3", imapPort: 143, state: "draining" },
      ],
      users: [
        { address: "placed@example.test", group: "mail", server: "m2", passwordHash },
        { address: "new@example.test", group: "mail", passwordHash },
        { address: "lost@example.test", group: "empty", passwordHash },
      ],
      aliases: [{ address: "alias@example.test", user: "new@example.test" }],
      domains: [{ name: "example.test", group: "mail", recipients: "any" }],
    },
  });
});
after(() => worker.close());

const CLIENT = parseIp("192.0.2.77")!;

const session = () => new DirectorySession(worker.db, worker.db.$client);

async function find(address: string): Promise<UserEntry | null> {
  return (await findUser(session(), address, CLIENT)).entry;
}

test("a placed user is found with their server and no candidates", async () => {
  const entry = await find("placed@example.test");
  assert.equal(entry?.user.address, "placed@example.test");
  assert.equal(entry?.group.name, "mail");
  assert.equal(entry?.placed?.name, "m2");
  assert.deepEqual(entry?.candidates, []);
});

test("a new user is found with the servers that are up, by alias too", async () => {
  for (const address of ["new@example.test", "alias@example.test"]) {
    const entry = await find(address);
    assert.equal(entry?.user.address, "new@example.test");
    assert.equal(entry?.placed, null);
    assert.deepEqual(entry?.candidates.map(({ name }) => name).toSorted(), ["m1", "m2"]);
  }
});

test("a new user of a group without servers is found without candidates", async () => {
  assert.deepEqual((await find("lost@example.test"))?.candidates, []);
});

test("an unknown address finds no user, and neither does SQL", async () => {
  for (const address of ["nobody@example.test", "", "' or '1'='1", "%", "*"]) {
    assert.equal(await find(address), null, address);
  }
});

test("a user is found with the time of their last login from the client's network", async () => {
  const lastSuccess = new Date(1_790_000_000_000);
  const row = { user: "new@example.test", network: "192.0.2.77/32", lastSuccess };
  await worker.db.insert(knownNetworks).values(row);
  const from = async (client: string) => {
    const { entry } = await findUser(session(), "alias@example.test", parseIp(client));
    assert.equal(entry?.candidates.length, 2);
    return entry.lastSuccess;
  };
  assert.deepEqual(await from("192.0.2.77"), lastSuccess);
  assert.equal(await from("192.0.2.78"), null);
  assert.equal(await from("unix:"), null);
});

/** The statements that find a user, and their values. */
async function statementsFor(address: string, terms: SearchTerms = {}) {
  const statements: { readonly statement: string; readonly values: readonly unknown[] }[] = [];
  const { $client } = worker.db;
  const d1Session = {
    prepare: (statement: string) => ({
      bind(...values: readonly unknown[]) {
        statements.push({ statement, values });
        return $client.prepare(statement).bind(...values);
      },
    }),
  };
  await findUser(new DirectorySession(worker.db, d1Session), address, CLIENT, terms);
  return statements;
}

test("finding a user takes one statement", async () => {
  assert.equal((await statementsFor("alias@example.test")).length, 1);
  assert.equal((await statementsFor("alias@example.test", { domain: "example.test" })).length, 1);
});

test("a domain is found with its servers for unknown recipients", async () => {
  const found = await findUser(session(), "nobody@example.test", CLIENT, {
    domain: "example.test",
  });
  assert.equal(found.entry, null);
  assert.equal(found.domain?.recipients, "any");
  assert.equal(found.domain.catchAll.group.name, "mail");
  const servers = found.domain.catchAll.candidates.map(({ name }) => name);
  assert.deepEqual(servers.toSorted(), ["m1", "m2"]);
  const terms = { domain: "other.test" };
  const other = await findUser(session(), "nobody@other.test", CLIENT, terms);
  assert.deepEqual(other, { entry: null, admitted: true, domain: null });
});

async function plan(address: string): Promise<string[]> {
  const [{ statement, values } = assert.fail()] = await statementsFor(address);
  const explained = worker.db.$client.prepare(`explain query plan ${statement}`);
  const { results } = await explained.bind(...values).all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

/** Scans of the few networks with the client's address, and of the rule that they select. */
const SMALL_SCANS = [
  "SCAN (subquery-3)",
  "SCAN rule LEFT-JOIN",
  "SCAN CONSTANT ROW",
  "SCAN json_each VIRTUAL TABLE INDEX 1:",
];

test("finding a user searches each table by an index and scans none", async () => {
  const steps = await plan("new@example.test");
  for (const table of [
    "users",
    "aliases",
    "domains",
    "groups",
    "placed",
    "candidate",
    "networks",
    "known_networks",
    "app_passwords",
    "certificates",
    "own_secret",
    "upstream_secret",
    "server_health",
  ]) {
    assert.ok(
      steps.some((step) => new RegExp(`^SEARCH ${table} USING (COVERING )?INDEX`).test(step)),
      `${table}: ${steps.join("; ")}`,
    );
  }
  assert.deepEqual(
    steps.filter((step) => step.startsWith("SCAN") && !SMALL_SCANS.includes(step)),
    [],
  );
});

test("placing a user returns their server, and never moves them", async () => {
  assert.equal(await placeUser(worker.db, "new@example.test", "m1"), "m1");
  assert.equal(await placeUser(worker.db, "new@example.test", "m2"), "m1");
  assert.equal(await placeUser(worker.db, "placed@example.test", "m1"), "m2");
});

test("placing a deleted user returns null", async () => {
  assert.equal(await placeUser(worker.db, "nobody@example.test", "m1"), null);
});

test("the database refuses addresses in capitals, aliases of unknown users or of aliases, unknown states, and users without a group", async () => {
  for (const statement of [
    sql`insert into users (address, password_hash, "group") values ('A@b.test', 'x', 'mail')`,
    sql`insert into aliases values ('A@b.test', 'new@example.test')`,
    sql`insert into aliases values ('a@b.test', 'nobody@example.test')`,
    sql`insert into aliases values ('a@b.test', 'alias@example.test')`,
    sql`insert into users (address, password_hash, "group") values ('a@b.test', 'x', 'nowhere')`,
    sql`insert into users (address, password_hash, "group", server) values ('a@b.test', 'x', 'mail', 'm9')`,
    sql`update servers set state = 'UP'`,
    sql`update servers set weight = 0`,
    sql`update servers set imap_port = 65536`,
    sql`update groups set storage = 'none'`,
    sql`delete from servers where name = 'm2'`,
    sql`delete from groups where name = 'mail'`,
  ]) {
    await assert.rejects(async () => worker.db.run(statement));
  }
});

test("a server that is renamed keeps its users", async () => {
  await worker.db.run(sql`update servers set name = 'm2b' where name = 'm2'`);
  const entry = await find("placed@example.test");
  assert.equal(entry?.placed?.name, "m2b");
});
