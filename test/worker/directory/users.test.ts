import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import { Reading } from "../../../worker/directory/session.ts";
import {
  type Entry,
  type Presented,
  findUser,
  placeUser,
} from "../../../worker/directory/users.ts";
import { parseIp } from "../../../shared/address.ts";
import { knownNetworks } from "../../../worker/directory/schema/index.ts";
import { type Harness, startHarness } from "../../support/harness.ts";

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

const reading = () => new Reading(worker.db, worker.db.$client);

async function find(address: string): Promise<Entry | null> {
  return (await findUser(reading(), address, CLIENT)).entry;
}

test("a placed user is found with their server alone", async () => {
  const entry = await find("placed@example.test");
  assert.equal(entry?.user.address, "placed@example.test");
  assert.equal(entry?.group.name, "mail");
  assert.equal(entry?.placed?.name, "m2");
  assert.deepEqual(entry?.candidates, []);
});

test("a new user is found with the servers that take users, by alias too", async () => {
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

test("nobody is found by an unknown address, or by text that is SQL", async () => {
  for (const address of ["nobody@example.test", "", "' or '1'='1", "%", "*"]) {
    assert.equal(await find(address), null, address);
  }
});

test("a user is found with when they last logged in from the client's network, if ever", async () => {
  const lastSuccess = new Date(1_790_000_000_000);
  const row = { user: "new@example.test", network: "192.0.2.77/32", lastSuccess };
  await worker.db.insert(knownNetworks).values(row);
  const from = async (client: string) => {
    const { entry } = await findUser(reading(), "alias@example.test", parseIp(client));
    assert.equal(entry?.candidates.length, 2);
    return entry.lastSuccess;
  };
  assert.deepEqual(await from("192.0.2.77"), lastSuccess);
  assert.equal(await from("192.0.2.78"), null);
  assert.equal(await from("unix:"), null);
});

/** The statements by which a user is found, and what is bound to them. */
async function asked(address: string, presented: Presented = {}) {
  const statements: { readonly statement: string; readonly values: readonly unknown[] }[] = [];
  const { $client } = worker.db;
  const session = {
    prepare: (statement: string) => ({
      bind(...values: readonly unknown[]) {
        statements.push({ statement, values });
        return $client.prepare(statement).bind(...values);
      },
    }),
  };
  await findUser(new Reading(worker.db, session), address, CLIENT, presented);
  return statements;
}

test("finding a user takes one statement", async () => {
  assert.equal((await asked("alias@example.test")).length, 1);
  assert.equal((await asked("alias@example.test", { domain: "example.test" })).length, 1);
});

test("a domain is found with the servers for whoever is unknown there, and is no user", async () => {
  const found = await findUser(reading(), "nobody@example.test", CLIENT, {
    domain: "example.test",
  });
  assert.equal(found.entry, null);
  assert.equal(found.domain?.recipients, "any");
  assert.equal(found.domain.catchAll.group.name, "mail");
  const servers = found.domain.catchAll.candidates.map(({ name }) => name);
  assert.deepEqual(servers.toSorted(), ["m1", "m2"]);
  const presented = { domain: "other.test" };
  const other = await findUser(reading(), "nobody@other.test", CLIENT, presented);
  assert.deepEqual(other, { entry: null, admitted: true, domain: null });
});

async function plan(address: string): Promise<string[]> {
  const [{ statement, values } = assert.fail()] = await asked(address);
  const explained = worker.db.$client.prepare(`explain query plan ${statement}`);
  const { results } = await explained.bind(...values).all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

/** What is scanned are the few networks that hold the client's address, and what they found. */
const FEW = [
  "SCAN (subquery-3)",
  "SCAN rule LEFT-JOIN",
  "SCAN CONSTANT ROW",
  "SCAN json_each VIRTUAL TABLE INDEX 1:",
];

test("finding a user searches every table by an index and scans none", async () => {
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
    steps.filter((step) => step.startsWith("SCAN") && !FEW.includes(step)),
    [],
  );
});

test("placing a user answers where they are, and never moves them", async () => {
  assert.equal(await placeUser(worker.db, "new@example.test", "m1"), "m1");
  assert.equal(await placeUser(worker.db, "new@example.test", "m2"), "m1");
  assert.equal(await placeUser(worker.db, "placed@example.test", "m1"), "m2");
});

test("placing a user who is gone places nobody", async () => {
  assert.equal(await placeUser(worker.db, "nobody@example.test", "m1"), null);
});

test("the database refuses addresses in capitals, aliases of nobody or of an alias, unknown states, and users of no group", async () => {
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
