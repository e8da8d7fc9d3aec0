import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { ONE_SERVER, SEALING } from "../../support/worker/directory.ts";
import { type Answer, type Harness, startHarness } from "../../support/worker/harness.ts";

const passwordHash = "x";
const alice = "alice@example.test";
const SALT = "<1896.697170952@postoffice.example.test>";
const LONG = "long".repeat(130);

const DIGESTS = {
  apop: (secret: string, salt: string) =>
    createHash("md5")
      .update(salt + secret)
      .digest("hex"),
  "cram-md5": (secret: string, salt: string) =>
    createHmac("md5", secret).update(salt).digest("hex"),
};
type DigestMethod = keyof typeof DIGESTS;
const METHODS = Object.keys(DIGESTS) as DigestMethod[];

let worker: Harness;
before(async () => {
  const row = { group: "mail", server: "m1", passwordHash };
  const own = { purpose: "own" } as const;
  worker = await startHarness({
    vars: { FAILURES_PER_ACCOUNT: "20", FAILURES_PER_NETWORK: "1000" },
    secrets: { LOOKUP_KEYS: "key", SECRET_KEYS: SEALING },
    seed: {
      ...ONE_SERVER,
      users: [
        { address: alice, ...row },
        { address: "none@example.test", ...row },
        { address: "off@example.test", ...row, enabled: false },
        { address: "umlaut@example.test", ...row },
        { address: "long@example.test", ...row },
        { address: "moved@example.test", ...row },
        ...METHODS.flatMap((method) => [
          { address: `sealed-${method}@example.test`, ...row },
          { address: `sealed-off-${method}@example.test`, ...row, enabled: false },
          { address: `unsealed-${method}@example.test`, ...row },
        ]),
        { address: "imap-only@example.test", ...row, pop3: false },
      ],
      aliases: [{ address: "al@example.test", user: alice }],
      secrets: [
        { user: alice, ...own, secret: "tanstaaf 50%" },
        { user: "off@example.test", ...own, secret: "tanstaaf" },
        { user: "umlaut@example.test", ...own, secret: "schlüssel" },
        { user: "long@example.test", ...own, secret: LONG },
        ...METHODS.flatMap((method) => [
          { user: `sealed-${method}@example.test`, ...own, secret: "tanstaaf" },
          { user: `sealed-off-${method}@example.test`, ...own, secret: "tanstaaf" },
        ]),
        { user: "imap-only@example.test", ...own, secret: "tanstaaf" },
        { user: "moved@example.test", ...own, secret: "tanstaaf" },
      ],
    },
  });
  // This sealed secret was copied from another user's row.
  await worker.db.run(`update secrets set sealed =
    (select sealed from secrets where user = '${alice}') where user = 'moved@example.test'`);
});
after(() => worker.close());

function logIn(method: DigestMethod, secret: string, headers: Record<string, string> = {}) {
  const proof = DIGESTS[method](secret, SALT);
  return worker.ask({
    "Auth-Method": method,
    "Auth-Salt": SALT,
    "Auth-Pass": proof,
    "Auth-Protocol": "pop3",
    ...headers,
  });
}

test("the digests of the RFCs' examples match", () => {
  assert.equal(
    DIGESTS.apop("tanstaaf", "<1896.697170952@dbc.mtview.ca.us>"),
    "c4c9334bac560ecc979e58001b3e22fb",
  );
  const challenge = "<1896.697170952@postoffice.reston.mci.net>";
  assert.equal(
    DIGESTS["cram-md5"]("tanstaaftanstaaf", challenge),
    "b913a602c7eda7a495b4e6e7334d3890",
  );
});

for (const method of METHODS) {
  test(`${method} logs in a client with the password, and the server gets the password`, async () => {
    for (const login of [alice, "al@example.test"]) {
      const { auth } = await logIn(method, "tanstaaf 50%", { "Auth-User": login });
      assert.equal(auth["auth-status"], "OK");
      assert.equal(auth["auth-pass"], "tanstaaf 50%");
      assert.equal(auth["auth-user"], login === alice ? undefined : alice);
    }
  });

  test(`${method} is refused to all other clients`, async () => {
    const cases: Record<string, Record<string, string>> = {
      "another challenge": { "Auth-Salt": "<1@x>" },
      capitals: { "Auth-Pass": DIGESTS[method]("tanstaaf 50%", SALT).toUpperCase() },
      "the password itself": { "Auth-Pass": "tanstaaf%2050%25" },
      nothing: { "Auth-Pass": "" },
      "a user who is unknown": { "Auth-User": "nobody@example.test" },
      "a user without a kept password": { "Auth-User": "none@example.test" },
      "a user who is disabled": {
        "Auth-User": "off@example.test",
        "Auth-Pass": DIGESTS[method]("tanstaaf", SALT),
      },
      "a user of another protocol": {
        "Auth-User": "imap-only@example.test",
        "Auth-Pass": DIGESTS[method]("tanstaaf", SALT),
      },
    };
    for (const [index, [what, headers]] of Object.entries(cases).entries()) {
      const client = { "Client-IP": `198.51.${METHODS.indexOf(method)}.${index}` };
      const { status, auth } = await logIn(method, "tanstaaf 50%", { ...client, ...headers });
      assert.equal(status, 200, what);
      assert.equal(auth["auth-status"], "[AUTH] Invalid login or password", what);
    }
  });

  test(`${method} without its challenge is malformed`, async () => {
    const { "Auth-Salt": _, ...headers } = { "Auth-Method": method, "Auth-Salt": "" };
    assert.equal((await worker.ask(headers)).status, 400);
  });

  for (const [what, secret] of [
    ["umlaut", "schlüssel"],
    ["long", LONG],
  ] as const) {
    test(`${method} with a password that no header carries is a fault of ours: ${what}`, async () => {
      const { status } = await logIn(method, secret, { "Auth-User": `${what}@example.test` });
      assert.equal(status, 503);
    });
  }
}

for (const method of METHODS) {
  test(`wrong digests of ${method} are answered alike, wait alike and are blocked alike for every name`, async () => {
    const answersFor = async (name: string) => {
      const headers = { "Auth-User": `${name}-${method}@example.test`, "Client-IP": "192.0.2.99" };
      const answers: unknown[] = [];
      for (let n = 0; n < 21; n++) answers.push(await logIn(method, "wrong", headers));
      const right = await logIn(method, "tanstaaf", headers);
      return [...answers, right];
    };
    const answers = (await answersFor("unknown")) as Answer[];
    assert.deepEqual(
      [0, 10, 19, 20].map((n) => answers[n]!.auth["auth-wait"]),
      ["1", "4", undefined, undefined],
    );
    assert.equal(answers.at(-1)?.status, 503);
    for (const name of ["sealed", "sealed-off", "unsealed"]) {
      assert.deepEqual(await answersFor(name), answers, name);
    }
  });
}

test("a sealed secret in another user's row does not open", async () => {
  const { status } = await logIn("apop", "tanstaaf 50%", { "Auth-User": "moved@example.test" });
  assert.equal(status, 503);
  assert.match(worker.logs(), /the own secret of moved@example.test is broken/);
  assert.doesNotMatch(worker.logs(), /tanstaaf/);
});
