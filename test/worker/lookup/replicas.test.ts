import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eq } from "drizzle-orm";
import { servers, users } from "../../../worker/directory/schema/index.ts";
import { type Seed, seed } from "../../support/worker/directory.ts";
import { hashPassword } from "../../support/worker/passwords.ts";
import { type Replicated, startReplicated } from "../../support/worker/replica/index.ts";

/** "wonderland", cheap to verify: these tests log in often. */
const passwordHash = "$argon2id$v=19$m=1024,t=1,p=4$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g";
const changed = { passwordHash: hashPassword(new TextEncoder().encode("rabbit-hole")) };

const home = { group: "mail", server: "m1", passwordHash };

let worker: Replicated;
before(async () => {
  worker = await startReplicated();
  await known({
    groups: [{ name: "mail" }],
    servers: [{ name: "m1", group: "mail", host: "192.0.2.7", imapPort: 143, smtpPort: 25 }],
    users: [
      { address: "alice@example.test", ...home },
      { address: "off@example.test", ...home, enabled: false },
    ],
    domains: [{ name: "example.test", group: "mail" }],
  });
  // The first login of an isolate also reads the costs of stored hashes.
  await logIn("alice@example.test");
});
after(() => worker.close());

/** Writes rows to the primary and to the replica. */
async function known(rows: Seed) {
  await seed(worker.primary, rows);
  await seed(worker.replica, rows);
}

const OK = "OK";
const WRONG = "[AUTHENTICATIONFAILED] Invalid login or password";
const UNAVAILABLE = "[UNAVAILABLE] Temporary failure, please try again later";
const BLOCKED = "[UNAVAILABLE] Too many failed logins, please try again later";

async function logIn(user: string, password = "wonderland", headers: Record<string, string> = {}) {
  const { auth, asked } = await worker.ask({
    "Auth-User": user,
    "Auth-Pass": password,
    ...headers,
  });
  return { told: auth.get("Auth-Status"), server: auth.get("Auth-Server"), asked };
}

test("a successful login reads only the nearest replica", async () => {
  const { told, asked } = await logIn("alice@example.test");
  assert.equal(told, OK);
  assert.deepEqual(asked, ["replica"]);
});

for (const [who, user] of [
  ["a wrong password", "alice@example.test"],
  ["an unknown user", "mallory@example.test"],
  ["a disabled user", "off@example.test"],
] as const) {
  test(`${who} is refused after a second read at the primary, like all refused logins`, async () => {
    const { told, asked } = await logIn(user, "wrong");
    assert.equal(told, WRONG);
    assert.deepEqual(asked, ["replica", "primary"]);
  });

  test(`${who} is refused at once if the primary is the nearest`, async () => {
    const { told, asked } = await logIn(user, "wrong", { "Test-Nearest": "primary" });
    assert.equal(told, WRONG);
    assert.deepEqual(asked, ["primary"]);
  });
}

/** Changes that only the primary has, by their user, who logs in with "rabbit-hole". */
const NEWS: Readonly<Record<string, () => Promise<void>>> = {
  async "changed-password"() {
    await known({ users: [{ address: "changed-password@example.test", ...home }] });
    await change("changed-password@example.test", changed);
  },
  async "new-user"() {
    await seed(worker.primary, {
      users: [{ address: "new-user@example.test", ...home, ...changed }],
    });
  },
  async "enabled-user"() {
    const address = "enabled-user@example.test";
    await known({ users: [{ address, ...home, ...changed, enabled: false }] });
    await change(address, { enabled: true });
  },
  async "allowed-protocol"() {
    const address = "allowed-protocol@example.test";
    await known({ users: [{ address, ...home, ...changed, imap: false }] });
    await change(address, { imap: true });
  },
  async "app-password"() {
    const user = "app-password@example.test";
    await known({ users: [{ address: user, ...home }] });
    await seed(worker.primary, {
      appPasswords: [{ user, label: "phone", password: "rabbit-hole" }],
    });
  },
  async alias() {
    const user = "named@example.test";
    await known({ users: [{ address: user, ...home, ...changed }] });
    await seed(worker.primary, { aliases: [{ address: "alias@example.test", user }] });
  },
};

function change(address: string, values: Partial<typeof users.$inferInsert>) {
  return worker.primary.update(users).set(values).where(eq(users.address, address));
}

for (const [news, make] of Object.entries(NEWS)) {
  test(`a change of a second ago counts, although the replica lacks it: ${news}`, async () => {
    await make();
    const { told, asked } = await logIn(`${news}@example.test`, "rabbit-hole");
    assert.equal(told, OK);
    assert.deepEqual(asked, ["replica", "primary"]);
  });
}

test("a network that was allowed a second ago is admitted", async () => {
  const denied = { network: "198.51.100.0/24", prefix: 24, access: "deny" } as const;
  await seed(worker.replica, { networks: [denied] });
  const { told } = await logIn("alice@example.test", "wonderland", { "Client-IP": "198.51.100.1" });
  assert.equal(told, OK);
});

test("while the primary is away right logins succeed, and wrong ones get a temporary failure", async () => {
  const away = { "Test-Primary": "away" };
  assert.equal((await logIn("alice@example.test", "wonderland", away)).told, OK);
  assert.equal((await logIn("alice@example.test", "wrong", away)).told, UNAVAILABLE);
  assert.equal((await logIn("mallory@example.test", "wrong", away)).told, UNAVAILABLE);
  assert.match(worker.logs(), /cannot be answered: [^"]*the primary is away/);
});

test("failures count while the primary is away", async () => {
  await known({ users: [{ address: "guessed@example.test", ...home }] });
  const guess = (client: string) =>
    logIn("guessed@example.test", "wrong", { "Client-IP": client, "Test-Primary": "away" });
  for (let n = 1; n <= 10; n++) assert.equal((await guess(`203.0.113.${n}`)).told, UNAVAILABLE);
  assert.equal((await guess("203.0.113.11")).told, BLOCKED);
});

/** A group of two servers, and a user who has not been placed according to the replica. */
async function newcomer(group: string): Promise<string> {
  const address = `${group}@example.test`;
  await known({
    groups: [{ name: group, policy: "first" }],
    servers: [
      { name: `${group}-1`, group, host: "192.0.2.1", imapPort: 143, smtpPort: 25, position: 1 },
      { name: `${group}-2`, group, host: "192.0.2.2", imapPort: 143, smtpPort: 25, position: 2 },
    ],
    users: [{ address, group, passwordHash }],
  });
  return address;
}

async function placementOf(user: string) {
  const [row] = await worker.primary.select().from(users).where(eq(users.address, user));
  return row?.server;
}

test("a first login is placed by the primary's rows", async () => {
  const user = await newcomer("drained");
  await worker.primary
    .update(servers)
    .set({ state: "draining" })
    .where(eq(servers.name, "drained-1"));
  const { told, server, asked } = await logIn(user);
  assert.equal(told, OK);
  assert.equal(server, "192.0.2.2");
  assert.equal(await placementOf(user), "drained-2");
  assert.deepEqual(asked, ["replica", "primary"]);
});

test("a user who was placed a second ago is not placed again", async () => {
  const user = await newcomer("placed");
  await change(user, { server: "placed-2" });
  const { told, server } = await logIn(user);
  assert.equal(told, OK);
  assert.equal(server, "192.0.2.2");
  assert.equal(await placementOf(user), "placed-2");
});

test("a user who was deleted a second ago is not placed, and is refused", async () => {
  const user = await newcomer("deleted");
  await worker.primary.delete(users).where(eq(users.address, user));
  assert.equal((await logIn(user)).told, WRONG);
  assert.equal(await placementOf(user), undefined);
});

test("a user whose password was changed a second ago is not placed by the old one", async () => {
  const user = await newcomer("renewed");
  await change(user, changed);
  assert.equal((await logIn(user)).told, WRONG);
  assert.equal(await placementOf(user), null);
  assert.equal((await logIn(user, "rabbit-hole")).told, OK);
});

test("mail does not place a user by a replica's rows", async () => {
  const user = await newcomer("addressee");
  await change(user, { server: "addressee-2" });
  const { told, asked } = await deliver(user);
  assert.equal(told, OK);
  assert.deepEqual(asked, ["replica", "primary"]);
  assert.equal(await placementOf(user), "addressee-2");
});

test("while the primary is away no user is placed", async () => {
  const user = await newcomer("waiting");
  assert.equal((await logIn(user, "wonderland", { "Test-Primary": "away" })).told, UNAVAILABLE);
  assert.equal(await placementOf(user), null);
});

async function deliver(recipient: string, headers: Record<string, string> = {}) {
  const { auth, asked } = await worker.ask({
    "Auth-Method": "none",
    "Auth-User": "",
    "Auth-Pass": "",
    "Auth-Protocol": "smtp",
    "Auth-SMTP-To": `RCPT TO:<${recipient}>`,
    ...headers,
  });
  return { told: auth.get("Auth-Status"), code: auth.get("Auth-Error-Code"), asked };
}

test("mail to a user is routed by the nearest replica", async () => {
  const { told, asked } = await deliver("alice@example.test");
  assert.equal(told, OK);
  assert.deepEqual(new Set(asked), new Set(["replica"]));
});

test("no mail bounces because a replica lacks the user or the domain", async () => {
  await seed(worker.primary, {
    users: [{ address: "new-recipient@example.test", ...home }],
    domains: [{ name: "new.test", group: "mail", recipients: "any" }],
  });
  for (const recipient of ["new-recipient@example.test", "whoever@new.test"]) {
    assert.equal((await deliver(recipient)).told, OK, recipient);
  }
});

test("refused mail is confirmed at the primary, and gets a temporary failure while that is away", async () => {
  const { code, asked } = await deliver("nobody@example.test");
  assert.equal(code, "550 5.1.1");
  assert.deepEqual(asked, ["replica", "primary"]);
  const away = await deliver("nobody@example.test", { "Test-Primary": "away" });
  assert.equal(away.code, "454 4.7.0");
});
