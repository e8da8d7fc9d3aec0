import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eq } from "drizzle-orm";
import { servers, users } from "../../../worker/directory/schema/index.ts";
import { placeUser } from "../../../worker/directory/users.ts";
import { type Answer, type Harness, startHarness } from "../../support/worker/harness.ts";
import { seed } from "../../support/worker/directory.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";

let worker: Harness;
before(async () => {
  worker = await startHarness();
});
after(() => worker.close());

type NewServer = Partial<typeof servers.$inferInsert>;

/** A group of servers named `<group>-1`, `<group>-2`, … A server's number is the last byte of its address. */
async function group(name: string, storage: "own" | "shared", ...members: NewServer[]) {
  await seed(worker.db, {
    groups: [{ name, storage }],
    servers: members.map((member, index) => ({
      name: `${name}-${index + 1}`,
      group: name,
      host: `192.0.2.${index + 1}`,
      imapPort: 143,
      ...member,
    })),
  });
}

/** Users of a group who have not been placed. */
async function newcomers(of: string, count = 1): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${of}-user-${index}@example.test`);
  const rows = names.map((address) => ({ address, group: of, passwordHash }));
  await seed(worker.db, { users: rows });
  return names;
}

const logIn = (user: string, headers: Record<string, string> = {}): Promise<Answer> =>
  worker.ask({ "Auth-User": user, ...headers });

/** The number of the server in the lookup's reply. */
async function sentTo(user: string): Promise<number> {
  const { auth } = await logIn(user);
  assert.equal(auth["auth-status"], "OK");
  return Number(auth["auth-server"]?.split(".").at(-1));
}

/** Runs ten lookups at a time, since more than sixteen would get temporary failures. */
async function allSentTo(names: readonly string[]): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < names.length; n += 10) {
    all.push(...(await Promise.all(names.slice(n, n + 10).map(sentTo))));
  }
  return all;
}

async function storedServer(user: string): Promise<string | null | undefined> {
  const [row] = await worker.db.select().from(users).where(eq(users.address, user));
  return row?.server;
}

const change = (name: string, values: NewServer) =>
  worker.db.update(servers).set(values).where(eq(servers.name, name));

async function assertUnavailable(user: string, headers: Record<string, string> = {}) {
  const { status, auth } = await logIn(user, headers);
  assert.equal(status, 503);
  assert.match(auth["auth-status"]!, /Temporary failure/);
  assert.equal(auth["auth-server"], undefined);
}

test("the first login places a user, and the placement is stored before the reply", async () => {
  await group("first", "own", {}, {});
  const [user] = await newcomers("first");
  assert.equal(await storedServer(user!), null);
  const server = await sentTo(user!);
  assert.equal(await storedServer(user!), `first-${server}`);
});

test("a wrong password does not place a user", async () => {
  await group("wrong", "own", {});
  const [user] = await newcomers("wrong");
  await logIn(user!, { "Auth-Pass": "wunderland" });
  assert.equal(await storedServer(user!), null);
});

test("simultaneous first logins all go to one server", async () => {
  await group("rush", "own", {}, {}, {}, {}, {}, {}, {}, {});
  const [user] = await newcomers("rush");
  const answers = await Promise.all(Array.from({ length: 16 }, () => sentTo(user!)));
  assert.equal(new Set(answers).size, 1);
  assert.equal(await storedServer(user!), `rush-${answers[0]}`);
});

test("of two placements at the same moment the first stays, and both logins learn it", async () => {
  await group("race", "own", {}, {});
  const [user] = await newcomers("race");
  assert.equal(await placeUser(worker.db, user!, "race-1"), "race-1");
  assert.equal(await placeUser(worker.db, user!, "race-2"), "race-1");
  assert.equal(await storedServer(user!), "race-1");
});

test("a placed user stays, whatever happens to weights and other servers", async () => {
  await group("stay", "own", {}, { state: "down" });
  const [user] = await newcomers("stay");
  assert.equal(await sentTo(user!), 1);
  await change("stay-2", { state: "up", weight: 1_000_000 });
  for (let n = 0; n < 10; n++) assert.equal(await sentTo(user!), 1);
});

test("a server that is draining keeps its users and takes no new ones", async () => {
  await group("drain", "own", {}, {});
  const [placed, ...others] = await newcomers("drain", 12);
  const home = await sentTo(placed!);
  await change(`drain-${home}`, { state: "draining" });
  assert.equal(await sentTo(placed!), home);
  for (const user of others) assert.notEqual(await sentTo(user), home);
});

test("a user whose server is down gets a temporary failure until it is up", async () => {
  await group("down", "own", {}, {});
  const [user] = await newcomers("down");
  const home = await sentTo(user!);
  await change(`down-${home}`, { state: "down" });
  await assertUnavailable(user!);
  assert.equal(await storedServer(user!), `down-${home}`);
  await change(`down-${home}`, { state: "up" });
  assert.equal(await sentTo(user!), home);
});

test("a user whose server does not speak the protocol is not sent to another server", async () => {
  await group("mute", "own", {}, { imapPort: null, pop3Port: 110 });
  const [user] = await newcomers("mute");
  assert.equal(await sentTo(user!), 1);
  await assertUnavailable(user!, { "Auth-Protocol": "pop3" });
});

test("a new user is placed on a server that speaks the protocol of their first login", async () => {
  await group("speak", "own", { imapPort: null, smtpPort: 587 }, {});
  for (const user of await newcomers("speak", 10)) assert.equal(await sentTo(user), 2);
});

test("a new user of a group without a server that is up gets a temporary failure, and is not placed", async () => {
  await group("none", "own", { state: "down" }, { state: "draining" });
  const [user] = await newcomers("none");
  await assertUnavailable(user!);
  assert.equal(await storedServer(user!), null);
});

test("a user stays on their server when the server moves to another group", async () => {
  await group("old", "own", {});
  await group("new", "own", {});
  const [user] = await newcomers("old");
  const home = await storedServerAfterLogin(user!);
  await change("old-1", { group: "new" });
  assert.equal(await storedServerAfterLogin(user!), home);
});

async function storedServerAfterLogin(user: string) {
  await sentTo(user);
  return storedServer(user);
}

test("new users are spread by weight", async () => {
  await group("weights", "own", { weight: 9 }, { weight: 1 });
  const placed = await allSentTo(await newcomers("weights", 300));
  const light = placed.filter((server) => server === 2).length;
  // 30 are expected, with a standard deviation of 5. The bounds are seven deviations away.
  assert.ok(light > 3 && light < 66, `${light} of 300`);
});

test("with shared storage each login may go to another server, and no placement is stored", async () => {
  await group("shared", "shared", {}, {}, { state: "draining" }, { state: "down" });
  const [user] = await newcomers("shared");
  const answers = await allSentTo(Array.from({ length: 60 }, () => user!));
  assert.deepEqual(new Set(answers), new Set([1, 2]));
  assert.equal(await storedServer(user!), null);
});

test("with shared storage only servers that speak the protocol are chosen", async () => {
  await group("sharp", "shared", { pop3Port: 110 }, {}, {}, {});
  const [user] = await newcomers("sharp");
  for (let n = 0; n < 20; n++) {
    const { auth } = await logIn(user!, { "Auth-Protocol": "pop3" });
    assert.equal(auth["auth-server"], "192.0.2.1");
  }
});

test("with shared storage a pinned user goes only to their server", async () => {
  await group("pin", "shared", {}, {}, {}, {});
  await seed(worker.db, {
    users: [{ address: "pinned@example.test", group: "pin", server: "pin-3", passwordHash }],
  });
  for (let n = 0; n < 20; n++) assert.equal(await sentTo("pinned@example.test"), 3);
  await change("pin-3", { state: "draining" });
  assert.equal(await sentTo("pinned@example.test"), 3);
  await change("pin-3", { state: "down" });
  await assertUnavailable("pinned@example.test");
});
