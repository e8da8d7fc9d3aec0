import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ONE_SERVER } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";

const LONG_LOGIN = `${"l".repeat(480)}@example.org`;

let worker: Harness;

before(async () => {
  worker = await startHarness({
    // These tests make many failures, which must not begin a block.
    vars: {
      DEFAULT_DOMAIN: "example.test",
      FAILURES_PER_ACCOUNT: "1000",
      FAILURES_PER_NETWORK: "1000",
    },
    seed: {
      groups: ONE_SERVER.groups,
      servers: [
        ...ONE_SERVER.servers,
        { name: "m2", group: "mail", host: "2001:db8::7", imapPort: 1143 },
      ],
      users: [
        { address: "alice@example.test", password: "wonderland", group: "mail", server: "m1" },
        { address: "six@example.test", password: "wonderland", group: "mail", server: "m2" },
        { address: "off@example.test", password: "wonderland", group: "mail", enabled: false },
        {
          address: "imap-only@example.test",
          password: "wonderland",
          group: "mail",
          server: "m1",
          pop3: false,
          smtp: false,
        },
        {
          address: "renamed@example.test",
          password: "wonderland",
          group: "mail",
          server: "m1",
          upstreamLogin: "u000042",
        },
        {
          address: "long@example.test",
          password: "wonderland",
          group: "mail",
          server: "m2",
          upstreamLogin: LONG_LOGIN,
        },
        { address: "umlaut@example.test", password: "schlüssel", group: "mail", server: "m1" },
        {
          address: "latin1@example.test",
          password: Uint8Array.from(Buffer.from("schl\xfcssel", "latin1")),
          group: "mail",
          server: "m1",
        },
        { address: "märz@example.test", password: "wonderland", group: "mail", server: "m1" },
        { address: "empty@example.test", password: "", group: "mail", server: "m1" },
      ],
      aliases: [
        { address: "al@example.test", user: "alice@example.test" },
        { address: "six@example.test", user: "alice@example.test" },
        { address: "march@example.test", user: "märz@example.test" },
      ],
    },
  });
});
after(() => worker.close());

const ACCEPTED = { "auth-status": "OK", "auth-server": "192.0.2.7", "auth-port": "143" };

test("the reply to a right password has the server's address and port, and no more", async () => {
  const { status, auth, body } = await worker.ask();
  assert.equal(status, 200);
  assert.deepEqual(auth, ACCEPTED);
  assert.equal(body, "");
});

test("the path in nginx's guide gives the same reply", async () => {
  const { status, auth } = await worker.ask({}, "/cgi-bin/nginxauth.cgi");
  assert.equal(status, 200);
  assert.deepEqual(auth, ACCEPTED);
});

test("each protocol is sent to its own port", async () => {
  const ports = { imap: "143", pop3: "110", smtp: "587" };
  for (const [protocol, port] of Object.entries(ports)) {
    const { auth } = await worker.ask({ "Auth-Protocol": protocol });
    assert.deepEqual(auth, { ...ACCEPTED, "auth-port": port }, protocol);
  }
});

test("an IPv6 server has no brackets, as nginx requires", async () => {
  const { auth } = await worker.ask({ "Auth-User": "six@example.test" });
  assert.equal(auth["auth-server"], "2001:db8::7");
});

test("an alias logs in as its user, and the server gets the user's address", async () => {
  const { auth } = await worker.ask({ "Auth-User": "al@example.test" });
  assert.deepEqual(auth, { ...ACCEPTED, "auth-user": "alice@example.test" });
});

test("an alias never shadows a user's own address", async () => {
  const { auth } = await worker.ask({ "Auth-User": "six@example.test" });
  assert.equal(auth["auth-server"], "2001:db8::7");
  assert.equal(auth["auth-user"], undefined);
});

test("capitals in an address make no difference, and the server gets the address in lower case", async () => {
  const { auth } = await worker.ask({ "Auth-User": "Alice@EXAMPLE.test" });
  assert.deepEqual(auth, { ...ACCEPTED, "auth-user": "alice@example.test" });
});

test("a bare user name gets the default domain", async () => {
  const { auth } = await worker.ask({ "Auth-User": "alice" });
  assert.deepEqual(auth, { ...ACCEPTED, "auth-user": "alice@example.test" });
});

test("spaces around an address are not trimmed away", async () => {
  const { auth } = await worker.ask({ "Auth-User": "%20alice@example.test" });
  assert.match(auth["auth-status"]!, /AUTHENTICATIONFAILED/);
});

test("the server gets the user's upstream login", async () => {
  const { auth } = await worker.ask({ "Auth-User": "renamed@example.test" });
  assert.deepEqual(auth, { ...ACCEPTED, "auth-user": "u000042" });
});

test("a password is compared byte for byte, escaped or not", async () => {
  const raw = Buffer.from("schlüssel").toString("latin1");
  for (const password of ["schl%C3%BCssel", "schl%c3%bcssel", raw]) {
    const headers = { "Auth-User": "umlaut@example.test", "Auth-Pass": password };
    assert.equal((await worker.ask(headers)).auth["auth-status"], "OK", password);
  }
  for (const password of ["schl%FCssel", "schlu%CC%88ssel", "schl%C3%BCss"]) {
    const headers = { "Auth-User": "umlaut@example.test", "Auth-Pass": password };
    assert.notEqual((await worker.ask(headers)).auth["auth-status"], "OK", password);
  }
});

test("an escaped password that is not UTF-8 works", async () => {
  const headers = { "Auth-User": "latin1@example.test", "Auth-Pass": "schl%FCssel" };
  assert.equal((await worker.ask(headers)).auth["auth-status"], "OK");
});

test("an address that is not ASCII works, and the server gets the client's own", async () => {
  for (const login of [
    "m%C3%A4rz@example.test",
    "M%C3%84RZ@Example.test",
    "ma%CC%88rz@example.test",
  ]) {
    const { auth } = await worker.ask({ "Auth-User": login });
    assert.deepEqual(auth, ACCEPTED);
  }
});

test("an empty password is compared like any other", async () => {
  const right = await worker.ask({ "Auth-User": "empty@example.test", "Auth-Pass": "" });
  assert.equal(right.auth["auth-status"], "OK");
  const wrong = await worker.ask({ "Auth-Pass": "" });
  assert.match(wrong.auth["auth-status"]!, /AUTHENTICATIONFAILED/);
});

const REFUSALS = {
  imap: { "auth-status": "[AUTHENTICATIONFAILED] Invalid login or password", "auth-wait": "1" },
  pop3: { "auth-status": "[AUTH] Invalid login or password", "auth-wait": "1" },
  smtp: {
    "auth-status": "Invalid login or password",
    "auth-error-code": "535 5.7.8",
    "auth-wait": "1",
  },
};

for (const [protocol, refusal] of Object.entries(REFUSALS)) {
  test(`all refusals in ${protocol} have the protocol's text, the same for each reason`, async () => {
    const reasons: Record<string, Record<string, string>> = {
      "wrong password": { "Auth-Pass": "wunderland" },
      "password in other case": { "Auth-Pass": "Wonderland" },
      "unknown user": { "Auth-User": "mallory@example.test" },
      "no user": { "Auth-User": "" },
      "disabled user": { "Auth-User": "off@example.test" },
      "hostile login": { "Auth-User": "'%20or%201=1%20--" },
      apop: { "Auth-Method": "apop", "Auth-Salt": "<1.2@example.test>" },
      "cram-md5": { "Auth-Method": "cram-md5", "Auth-Salt": "<1.2@example.test>" },
      external: { "Auth-Method": "external", "Auth-Pass": "" },
    };
    for (const [reason, headers] of Object.entries(reasons)) {
      const { status, auth } = await worker.ask({ "Auth-Protocol": protocol, ...headers });
      assert.equal(status, 200, reason);
      assert.deepEqual(auth, refusal, reason);
    }
  });
}

test("a user is refused in their disabled protocols and logs in with the others", async () => {
  const user = "imap-only@example.test";
  assert.deepEqual((await worker.ask({ "Auth-User": user })).auth, ACCEPTED);
  for (const protocol of ["pop3", "smtp"] as const) {
    const { auth } = await worker.ask({ "Auth-User": user, "Auth-Protocol": protocol });
    assert.deepEqual(auth, REFUSALS[protocol]);
  }
});

test("a refused client waits longer each time, and is closed at the fifth attempt", async () => {
  const waits: (string | undefined)[] = [];
  for (const attempt of ["1", "2", "3", "4", "5", "6", undefined]) {
    const { auth } = await worker.ask({ "Auth-Pass": "x", "Auth-Login-Attempt": attempt });
    waits.push(auth["auth-wait"]);
  }
  assert.deepEqual(waits, ["1", "2", "4", "8", undefined, undefined, "1"]);
});

test("a late attempt with the right password is accepted", async () => {
  assert.deepEqual((await worker.ask({ "Auth-Login-Attempt": "9" })).auth, ACCEPTED);
});

test("the longest reply is under 700 bytes", async () => {
  const { auth, bytes } = await worker.ask({ "Auth-User": "long@example.test" });
  assert.equal(auth["auth-user"], LONG_LOGIN);
  assert.ok(bytes < 700, `${bytes} bytes`);
});

test("an upstream login that does not fit into a header is a temporary failure", async () => {
  for (const login of ["march@example.test", "m%C3%A4rz"]) {
    const { status, auth } = await worker.ask({ "Auth-User": login });
    assert.equal(status, 503);
    assert.match(auth["auth-status"]!, /^\[UNAVAILABLE\]/);
  }
});

test("the root path names the worker, and other paths are not found", async () => {
  assert.match((await worker.ask({}, "/")).body, /^Postern/);
  assert.equal((await worker.ask({}, "/authenticate")).status, 404);
});
