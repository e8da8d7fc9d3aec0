import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { and, eq } from "drizzle-orm";
import type { users } from "../../../worker/directory/schema/index.ts";
import { knownNetworks } from "../../../worker/directory/schema/index.ts";
import { liftBlock } from "../../../worker/penalties/blocks.ts";
import { type CounterKind, counterOf } from "../../../worker/penalties/shards.ts";
import { eventually } from "../../support/eventually.ts";
import { type Answer, type Harness, startHarness } from "../../support/worker/harness.ts";
import { ONE_SERVER, seed } from "../../support/worker/directory.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";

const WRONG = "[AUTHENTICATIONFAILED] Invalid login or password";
const BUSY = "[UNAVAILABLE] Temporary failure, please try again later";
const BLOCKED = "[UNAVAILABLE] Too many failed logins, please try again later";

const WINDOW = 600_000;

/** Counts a failure that nothing refuses. */
const ADDED = { login: "", network: "", permitted: 10, effect: "add" } as const;

/** Users with one wrong password each. */
const GUESSED = Array.from({ length: 30 }, (_, index) => `guessed-${index}@example.test`);

let worker: Harness;
before(async () => {
  worker = await startHarness({
    seed: {
      ...ONE_SERVER,
      users: GUESSED.map((address) => ({ address, group: "mail", server: "m1", passwordHash })),
    },
  });
});
after(() => worker.close());

/** A user and networks of one test. */
async function user(name: string, row: Partial<typeof users.$inferInsert> = {}) {
  const address = `${name}@example.test`;
  await seed(worker.db, {
    users: [{ address, group: "mail", server: "m1", passwordHash, ...row }],
  });
  return address;
}

let networks = 0;
/** An address in a /24 of its own. */
function network(): string {
  networks += 1;
  return `10.${networks >> 8}.${networks & 255}.1`;
}

/** The /24 of an address, which chooses the object that counts for both. */
const wider = (address: string) => address.replace(/\d+(?:\/32)?$/, "0/24");

type Headers = Record<string, string | undefined>;

const logIn = (login: string, client: string, headers: Headers = {}): Promise<Answer> =>
  worker.ask({ "Auth-User": login, "Client-IP": client, ...headers });

const fail = (login: string, client: string, headers: Headers = {}): Promise<Answer> =>
  logIn(login, client, { "Auth-Pass": "wrong", ...headers });

async function failOften(times: number, login: string, from: () => string = network) {
  const answers: Answer[] = [];
  for (let n = 0; n < times; n++) answers.push(await fail(login, from()));
  return answers;
}

const status = ({ auth }: Answer) => auth["auth-status"];

/** The name of the Durable Object that counts for a name. */
async function shardOf(kind: CounterKind, name: string): Promise<string> {
  let asked = "";
  const counters = { getByName: (shard: string) => worker.counters.getByName((asked = shard)) };
  await counterOf(counters, kind, name);
  return asked;
}

async function counted(kind: CounterKind, name: string): Promise<number> {
  const subject = kind === "network" ? wider(name) : name;
  const counter = await counterOf(worker.counters, kind, subject);
  const [tally] = await counter.tally([{ ...ADDED, name }], WINDOW, false);
  return tally!.failures;
}

async function lastSuccess(login: string, client: string): Promise<Date | undefined> {
  const here = and(eq(knownNetworks.user, login), eq(knownNetworks.network, `${client}/32`));
  const [row] = await worker.db.select().from(knownNetworks).where(here);
  return row?.lastSuccess;
}

async function setLastSuccess(login: string, hoursAgo: number): Promise<Date> {
  const seconds = Math.floor(Date.now() / 1000) - hoursAgo * 3600;
  const date = new Date(seconds * 1000);
  const ofUser = eq(knownNetworks.user, login);
  await worker.db.update(knownNetworks).set({ lastSuccess: date }).where(ofUser);
  return date;
}

/** Waits for the writes after a reply: a later lookup's writes come later. */
async function writingIsDone(): Promise<void> {
  await makeKnown(await user(`later-${networks}`), network());
}

/** Logs in from a network, and waits until that is written. */
async function makeKnown(login: string, client: string): Promise<void> {
  assert.equal(status(await logIn(login, client)), "OK");
  await eventually("the success is written", () => lastSuccess(login, client));
}

test("failures for an account delay the replies, and the last permitted one ends the session", async () => {
  const login = await user("slow");
  const answers = await failOften(10, login);
  assert.deepEqual(answers.map(status), Array<string>(10).fill(WRONG));
  const waits = answers.map(({ auth }) => auth["auth-wait"]);
  assert.deepEqual(waits, ["1", "2", "2", "4", "4", "8", "8", "15", "15", undefined]);
});

test("below ten failures the right password works, from any network", async () => {
  const login = await user("nine");
  await failOften(9, login);
  assert.equal(status(await logIn(login, network())), "OK");
});

const MESSAGES = {
  imap: { "auth-status": BLOCKED },
  pop3: { "auth-status": "[SYS/TEMP] Too many failed logins, please try again later" },
  smtp: {
    "auth-status": "Too many failed logins, please try again later",
    "auth-error-code": "454 4.7.0",
  },
};

test("after ten failures clients from unknown networks get a temporary failure, for any password", async () => {
  const login = await user("blocked");
  await failOften(10, login);
  for (const [protocol, words] of Object.entries(MESSAGES)) {
    for (const password of ["wonderland", "wrong"]) {
      const headers = { "Auth-Protocol": protocol, "Auth-Pass": password };
      const { status: code, auth, cacheControl } = await logIn(login, network(), headers);
      assert.equal(code, 503);
      assert.deepEqual(auth, words);
      assert.equal(cacheControl, null);
      const caching = await logIn(login, network(), { ...headers, "Auth-Accept": "cache" });
      assert.equal(caching.status, 503);
      assert.deepEqual(caching.auth, words);
      assert.equal(caching.cacheControl, "no-store");
    }
  }
});

test("of many simultaneous guesses, only as many are answered as are permitted", async () => {
  const login = await user("rush");
  const answers = await Promise.all(Array.from({ length: 60 }, () => fail(login, network())));
  const told = Map.groupBy(answers.map(status), (words) => words);
  assert.equal(told.get(WRONG)?.length, 10);
  // The others' passwords were not verified, since too many waited.
  const busy = told.get(BUSY)?.length ?? 0;
  assert.equal((told.get(BLOCKED)?.length ?? 0) + busy, 50);
});

test("a caller that caches is told that the worker is busy, and no older reply replaces that", async () => {
  const logins = Array.from({ length: 60 }, (_, index) =>
    logIn(`crowd-${index}@example.test`, network(), { "Auth-Accept": "cache" }),
  );
  const busy = (await Promise.all(logins)).filter((answer) => status(answer) === BUSY);
  assert.ok(busy.length > 0);
  for (const { status: code, cacheControl } of busy) {
    assert.equal(code, 503);
    assert.equal(cacheControl, "no-store");
  }
});

test("an unknown user is treated like a user, from the first failure to the block", async () => {
  const known = await failOften(12, await user("existing"));
  const unknown = await failOften(12, "unknown@example.test");
  assert.deepEqual(
    unknown.map(({ auth }) => auth),
    known.map(({ auth }) => auth),
  );
});

test("failures in capitals count for the same login name", async () => {
  const login = await user("capital");
  await failOften(5, login);
  await failOften(5, "Capital@Example.Test");
  assert.equal(status(await logIn(login, network())), BLOCKED);
});

test("guesses at an alias do not tell who owns it: the answers to guesses at the owner stay as they are", async () => {
  const login = await user("owner");
  await seed(worker.db, { aliases: [{ address: "alias@example.test", user: login }] });
  const strangers = await failOften(12, "nobodys-alias@example.test");
  const answers = await failOften(12, "alias@example.test");
  answers.push(...(await failOften(12, login)));
  assert.deepEqual(
    answers.map(({ auth }) => auth),
    [...strangers, ...strangers].map(({ auth }) => auth),
  );
});

test("guesses under all names of a user are three times as many as under one name, at most", async () => {
  const login = await user("many-names");
  const names = Array.from({ length: 4 }, (_, index) => `other-name-${index}@example.test`);
  await seed(worker.db, { aliases: names.map((address) => ({ address, user: login })) });
  const answers: Answer[] = [];
  for (const name of names) answers.push(...(await failOften(12, name)));
  assert.equal(answers.filter((answer) => status(answer) === WRONG).length, 30);
  assert.equal(status(await logIn(login, network())), BLOCKED);
});

test("thirty failures from a network, for any users, block users who are new there", async () => {
  const login = await user("neighbour");
  const client = network();
  const answers: Answer[] = [];
  for (const guessed of GUESSED) answers.push(await fail(guessed, client));
  assert.deepEqual(new Set(answers.map(status)), new Set([WRONG]));
  assert.deepEqual(
    [0, 5, 11, 17, 23, 28, 29].map((n) => answers[n]?.auth["auth-wait"]),
    ["1", "2", "4", "8", "15", "15", undefined],
  );
  assert.equal(status(await logIn(login, client)), BLOCKED);
  assert.equal(status(await logIn(login, network())), "OK");
});

test("a network is an IPv6 /64, or an IPv4 address in any form", async () => {
  const spellings = ["203.0.113.9", "::ffff:203.0.113.9", "::FFFF:cb00:7109"];
  for (const [n, guessed] of GUESSED.entries()) {
    await fail(guessed, `2001:db8:0:1:${n.toString(16)}::1`);
    await fail(guessed, spellings[n % spellings.length]!);
  }
  const login = await user("six");
  assert.equal(status(await logIn(login, "2001:db8:0:1:ffff::2")), BLOCKED);
  assert.equal(status(await logIn(login, "2001:db8:0:2::1")), "OK");
  assert.equal(status(await logIn(login, "203.0.113.9")), BLOCKED);
  assert.equal(status(await logIn(login, "203.0.113.8")), "OK");
});

test("a name that is too long for an address is counted by its beginning", async () => {
  const long = "l".repeat(5000);
  await fail(`${long}-1`, network());
  await fail(`${long}-2`, network());
  assert.equal(await counted("account", "l".repeat(320)), 2);
});

test("a client without an address has its failures counted for the account", async () => {
  const login = await user("socket");
  for (let n = 0; n < 10; n++) await fail(login, "unix:");
  assert.equal(status(await logIn(login, "unix:")), BLOCKED);
});

test("a disabled user is treated as unknown, from the first wrong password to the block", async () => {
  const unknown = await failOften(12, "never@example.test");
  for (const [name, row] of [
    ["disabled", { enabled: false }],
    ["another-protocol", { pop3: false }],
    ["locked", { enabled: false, passwordHash: "!" }],
  ] as const) {
    const login = await user(name, row);
    const headers = { "Auth-Protocol": name === "another-protocol" ? "pop3" : "imap" };
    const answers: Answer[] = [];
    for (let n = 0; n < 12; n++) answers.push(await fail(login, network(), headers));
    assert.deepEqual(
      answers.map(({ auth }) => auth["auth-wait"]),
      unknown.map(({ auth }) => auth["auth-wait"]),
    );
    assert.equal(answers.at(-1)?.status, 503);
  }
});

test("a right password of a disabled user, and a proof that cannot be verified, do not count", async () => {
  const off = await user("off", { enabled: false });
  const noPop3 = await user("imap-only", { pop3: false });
  const client = network();
  for (let n = 0; n < 3; n++) {
    for (const [login, headers] of [
      [off, {}],
      [noPop3, { "Auth-Protocol": "pop3" }],
      [noPop3, { "Auth-Method": "apop", "Auth-Salt": "<1@example.test>" }],
    ] as const) {
      const { auth } = await logIn(login, client, headers);
      assert.match(auth["auth-status"]!, /Invalid login or password$/);
      assert.equal(auth["auth-wait"], "1");
    }
  }
  await logIn(off, client, { "Auth-Pass": "broken%" });
  await logIn(off, client, { "Auth-Method": "none", "Auth-Protocol": "smtp" });
  assert.equal(await counted("account", off), 0);
  assert.equal(await counted("account", noPop3), 0);
  assert.equal(await counted("network", `${client}/32`), 0);
});

test("a success resets no failure", async () => {
  const login = await user("mixed");
  await failOften(5, login);
  assert.equal(status(await logIn(login, network())), "OK");
  assert.equal(await counted("account", login), 5);
});

test("an attack on the account does not delay a user in a known network", async () => {
  const login = await user("home");
  const home = network();
  await makeKnown(login, home);
  await failOften(12, login);
  assert.equal(status(await logIn(login, network())), BLOCKED);
  assert.equal(status(await logIn(login, home)), "OK");
  const typo = await fail(login, home);
  assert.equal(status(typo), WRONG);
  assert.equal(typo.auth["auth-wait"], "1");
});

test("a network that is blocked may not guess at the users who are known there", async () => {
  const login = await user("colleague");
  const office = network();
  await makeKnown(login, office);
  for (const guessed of GUESSED) await fail(guessed, office);
  for (const answer of await failOften(3, login, () => office)) {
    assert.equal(status(answer), BLOCKED);
  }
  assert.equal(status(await logIn(login, office)), BLOCKED);
  assert.equal(status(await logIn(login, network())), "OK");
});

test("a network that gets blocked is known good for no user any more", async () => {
  const logins = [await user("first-colleague"), await user("second-colleague")];
  const office = network();
  for (const login of logins) await makeKnown(login, office);
  for (const guessed of GUESSED) await fail(guessed, office);
  for (const login of logins) {
    await eventually("the network is forgotten", async () => {
      return (await lastSuccess(login, office)) === undefined;
    });
  }
});

test("failures from a known network count, and after ten it is no longer known", async () => {
  const login = await user("phone");
  const home = network();
  await makeKnown(login, home);
  const answers = await failOften(10, login, () => home);
  assert.deepEqual(answers.map(status), Array<string>(10).fill(WRONG));
  assert.equal(answers.at(-1)?.auth["auth-wait"], undefined);
  assert.equal(await counted("account", login), 10);
  assert.equal(await counted("network", `${home}/32`), 10);
  assert.equal(status(await logIn(login, home)), BLOCKED);
  await eventually(
    "the success is forgotten",
    async () => (await lastSuccess(login, home)) === undefined,
  );
});

test("a network that lost its trust stays unknown until its failures expire", async () => {
  const login = await user("lost");
  const home = network();
  const counter = await counterOf(worker.counters, "account", login);
  const pair = { ...ADDED, name: login, login, network: `${home}/32` };
  for (let n = 0; n < 10; n++) await counter.tally([pair], WINDOW, true);
  assert.equal(status(await logIn(login, home)), "OK");
  await writingIsDone();
  assert.equal(await lastSuccess(login, home), undefined);
});

test("a success is written at most once a day", async () => {
  const login = await user("daily");
  const home = network();
  await makeKnown(login, home);
  const recent = await setLastSuccess(login, 23);
  assert.equal(status(await logIn(login, home)), "OK");
  await writingIsDone();
  assert.deepEqual(await lastSuccess(login, home), recent);
  const old = await setLastSuccess(login, 25);
  assert.equal(status(await logIn(login, home)), "OK");
  await eventually(
    "the success is refreshed",
    async () => (await lastSuccess(login, home))?.getTime() !== old.getTime(),
  );
});

test("a right password during a block does not make the network known", async () => {
  const guesser = network();
  for (const guessed of GUESSED) await fail(guessed, guesser);
  const login = await user("in-vain");
  assert.equal(status(await logIn(login, guesser)), BLOCKED);
  await writingIsDone();
  assert.equal(await lastSuccess(login, guesser), undefined);
});

test("a network without a login for 90 days is no longer known", async () => {
  const login = await user("returned");
  const home = network();
  await makeKnown(login, home);
  await failOften(10, login);
  await setLastSuccess(login, 24 * 90 - 1);
  assert.equal(status(await logIn(login, home)), "OK");
  await setLastSuccess(login, 24 * 90);
  assert.equal(status(await logIn(login, home)), BLOCKED);
});

test("an unavailable login does not count as a failure", async () => {
  const [login, client] = ["unreadable@example.test", network()];
  await seed(worker.db, {
    users: [{ address: login, group: "mail", server: "m1", passwordHash: "x" }],
  });
  assert.equal((await fail(login, client)).status, 503);
  assert.equal(await counted("account", login), 0);
});

test("a block expires by itself", async () => {
  const brief = await startHarness({
    seed: {
      groups: [{ name: "mail" }],
      servers: [{ name: "m1", group: "mail", host: "192.0.2.7", imapPort: 143 }],
      users: [{ address: "alice@example.test", group: "mail", passwordHash }],
    },
    vars: { FAILURES_PER_ACCOUNT: "3", FAILURES_PER_NETWORK: "5", FAILURE_WINDOW: "2" },
  });
  const guesses = Array.from({ length: 5 }, () => brief.ask({ "Auth-Pass": "wrong" }));
  assert.equal((await Promise.all(guesses)).filter((answer) => status(answer) === WRONG).length, 3);
  assert.equal(status(await brief.ask()), BLOCKED);
  while (status(await brief.ask()) !== "OK") await pause(20);
  await brief.close();
});

test("an operator lifts a block", async () => {
  const login = await user("lifted");
  const counter = await counterOf(worker.counters, "account", login);
  const ofLogin = { ...ADDED, name: login, login };
  for (let n = 0; n < 10; n++) await counter.tally([ofLogin], WINDOW, true);
  const [block] = await counter.list();
  assert.equal(block?.name, login);
  assert.equal(await liftBlock(worker.counters, "account", login), true);
  assert.equal(status(await logIn(login, network())), "OK");
  assert.equal(await liftBlock(worker.counters, "account", login), false);
});

test("without the Durable Objects logins go on, which is logged", async () => {
  const login = await user("outage");
  const client = network();
  const broken = [await shardOf("account", login), await shardOf("network", wider(client))];
  for (const shard of broken) await worker.counters.exec(shard, "drop table counts");
  assert.equal(status(await logIn(login, client)), "OK");
  const wrong = await fail(login, client, { "Auth-Login-Attempt": "3" });
  assert.deepEqual(wrong.auth, { "auth-status": WRONG, "auth-wait": "4" });
  assert.match(
    worker.logs(),
    /a login goes on without the penalties of its account: .*no such table/,
  );
  assert.match(worker.logs(), /a login goes on without the penalties of its network/);
  for (const shard of broken) await worker.counters.evict(shard);
});

test("the beginning of a block is logged without the login name, which may be a password", async () => {
  await failOften(10, "canary-in-the-wrong-field");
  assert.match(worker.logs(), /10 logins failed; further ones are refused until the block expires/);
  assert.doesNotMatch(worker.logs(), /canary/);
});
