import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { seed } from "../../support/worker/directory.ts";
import { type Replicated, startReplicated } from "../../support/worker/replica/index.ts";

/** "wonderland", cheap to verify. */
const passwordHash = "$argon2id$v=19$m=1024,t=1,p=4$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g";

let worker: Replicated;
before(async () => {
  worker = await startReplicated();
  const home = { group: "mail", server: "m1", passwordHash };
  for (const database of [worker.primary, worker.replica]) {
    await seed(database, {
      groups: [{ name: "mail" }, { name: "mx" }],
      servers: [
        { name: "m1", group: "mail", host: "192.0.2.7", imapPort: 143 },
        { name: "mx1", group: "mx", host: "192.0.2.8", smtpPort: 25 },
      ],
      users: [
        { address: "alice@example.test", ...home },
        { address: "off@example.test", ...home, enabled: false },
        { address: "guessed@example.test", ...home },
        { address: "bare", ...home },
        { address: `long@${"a".repeat(60)}.${"b".repeat(60)}.test`, ...home },
      ],
      aliases: [{ address: "alice@alias.test", user: "alice@example.test" }],
      domains: [{ name: "any.test", group: "mx", recipients: "any" }],
    });
  }
});
after(() => worker.close());

const TRACE = "0af7651916cd43dd8448eb211c80319c";

/** The data point of a lookup, by the names of the columns in docs/worker.md. */
async function counted(headers: Record<string, string> = {}) {
  const { points } = await worker.ask(headers);
  assert.equal(points.length, 1);
  const [{ indexes, blobs, doubles } = assert.fail()] = points;
  const [outcome, reason, protocol, method, group, server, network, trace] = blobs;
  return {
    index: indexes,
    outcome,
    reason,
    protocol,
    method,
    group,
    server,
    network,
    trace,
    doubles,
  };
}

test("a login is one data point with domain, method, network and server", async () => {
  const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
  assert.deepEqual(await counted({ Traceparent: traceparent, "Auth-Login-Attempt": "2" }), {
    index: ["example.test"],
    outcome: "accepted",
    reason: "",
    protocol: "imap",
    method: "plain",
    group: "mail",
    server: "m1",
    network: "192.0.2.0/24",
    trace: TRACE,
    doubles: [2, 0],
  });
});

test("a refusal is a data point with its reason and the user's group", async () => {
  const wrong = await counted({ "Auth-Pass": "wrong" });
  assert.equal(wrong.outcome, "refused");
  assert.equal(wrong.reason, "wrong-credentials");
  assert.equal(wrong.group, "mail");
  assert.equal(wrong.server, "");
  const off = await counted({ "Auth-User": "off@example.test" });
  assert.equal(off.reason, "not-enabled");
});

test("a blocked and an unavailable login are data points", async () => {
  const away = {
    "Test-Primary": "away",
    "Auth-User": "guessed@example.test",
    "Auth-Pass": "wrong",
  };
  for (let n = 1; n <= 10; n++) {
    const { outcome, index } = await counted({ ...away, "Client-IP": `203.0.113.${n}` });
    assert.equal(outcome, "unavailable");
    assert.deepEqual(index, ["example.test"]);
  }
  assert.equal((await counted({ ...away, "Client-IP": "198.51.100.1" })).outcome, "blocked");
});

test("mail from outside is a data point with its recipient's domain", async () => {
  const mail = { "Auth-Method": "none", "Auth-User": "", "Auth-Pass": "", "Auth-Protocol": "smtp" };
  const accepted = await counted({ ...mail, "Auth-SMTP-To": "RCPT TO:<canary@any.test>" });
  assert.deepEqual(accepted.index, ["any.test"]);
  assert.equal(accepted.outcome, "accepted");
  assert.equal(accepted.group, "mx");
  assert.equal(accepted.server, "mx1");
  const refused = await counted({ ...mail, "Auth-SMTP-To": "RCPT TO:<canary@unknown.test>" });
  assert.deepEqual(refused.index, [""]);
  assert.equal(refused.reason, "unknown-domain");
});

test("a client is counted by a network of many clients, and without an address by none", async () => {
  assert.equal((await counted({ "Client-IP": "2001:db8:1:2::3" })).network, "2001:db8:1::/48");
  assert.equal((await counted({ "Client-IP": "::ffff:192.0.2.9" })).network, "192.0.2.0/24");
  assert.equal((await counted({ "Client-IP": "unix:" })).network, "");
});

test("the domain is the user's, and fits into the index", async () => {
  assert.deepEqual((await counted({ "Auth-User": "alice@alias.test" })).index, ["example.test"]);
  assert.deepEqual((await counted({ "Auth-User": "bare" })).index, [""]);
  const long = await counted({ "Auth-User": `long@${"a".repeat(60)}.${"b".repeat(60)}.test` });
  assert.equal(long.index[0]?.length, 96);
});

test("a data point contains neither the client's input nor its address", async () => {
  for (const headers of [
    { "Auth-User": "canary-user@canary.test", "Auth-Pass": "canary-password" },
    { "Auth-User": "alice@example.test", "Auth-Pass": "canary-password" },
    { "Auth-User": "canary@password", "Auth-Pass": "" },
    { "Auth-Method": "xoauth2", "Auth-Pass": "canary-token" },
    { "Auth-Method": "cram-md5", "Auth-Salt": "canary-salt", "Auth-Pass": "canary-digest" },
    { Traceparent: "00-canary" },
    {},
  ]) {
    const { points } = await worker.ask({ ...headers, "Client-IP": "192.0.2.77" });
    assert.equal(points.length, 1);
    assert.doesNotMatch(JSON.stringify(points), /canary|alice|wonderland|\.77/);
  }
});

test("a malformed lookup is not counted", async () => {
  for (const headers of [{ "X-Auth-Key": "wrong" }, { "Auth-Protocol": "nntp" }]) {
    assert.deepEqual((await worker.ask(headers)).points, []);
  }
});

for (const trouble of ["fails", "unbound"]) {
  test(`where the dataset ${trouble} logins go on`, async () => {
    const { auth } = await worker.ask({ "Test-Analytics": trouble });
    assert.equal(auth.get("Auth-Status"), "OK");
  });
}

test("a failing dataset is logged once", async () => {
  for (let n = 0; n < 3; n++) await worker.ask({ "Test-Analytics": "fails" });
  assert.equal(worker.logs().match(/not counted in Analytics Engine/g)?.length, 1);
});

test("a lookup that went on without penalties is marked in its data point", async () => {
  for (const [penalties, failedOpen] of [
    ["away", 1],
    ["there", 0],
  ] as const) {
    const headers = { "Auth-Pass": "wrong", "Test-Penalties": penalties };
    const { outcome, doubles } = await counted(headers);
    assert.equal(outcome, "refused");
    assert.deepEqual(doubles, [1, failedOpen]);
  }
});
