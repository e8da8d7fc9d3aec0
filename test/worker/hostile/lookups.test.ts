// Lookups as an attacker would write them who reaches the endpoint, or who speaks through a proxy.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { ONE_SERVER } from "../../support/worker/directory.ts";
import { ALICE, type Harness, startHarness } from "../../support/worker/harness.ts";
import { CHEAP_HASH as passwordHash } from "../../support/worker/passwords.ts";
import { SEED } from "../../support/property.ts";

let worker: Harness;
before(async () => {
  const row = { group: "mail", server: "m1", passwordHash };
  worker = await startHarness({
    vars: { FAILURES_PER_ACCOUNT: "100000", FAILURES_PER_NETWORK: "100000" },
    seed: {
      ...ONE_SERVER,
      users: [
        { address: "alice@example.test", ...row },
        { address: "bob@example.test", ...row },
      ],
      networks: [{ network: "203.0.113.0/24", prefix: 24, access: "deny" }],
    },
  });
});
after(() => worker.close());

type Fields = readonly (readonly [name: string, value: string])[];

const LOOKUP: Fields = Object.entries(ALICE);

/** The lookup with another value for a header, or with none. */
const without = (...names: string[]) => LOOKUP.filter(([name]) => !names.includes(name));

interface Reply {
  readonly status: number;
  readonly verdict: string | undefined;
}

/** Sends bytes, one a character, and reads until the worker closes. */
async function send(bytes: string): Promise<Reply[]> {
  const socket = connect(Number(worker.url.port), worker.url.hostname);
  await once(socket, "connect");
  socket.setEncoding("latin1");
  // The worker closes at once where the caller has said all.
  socket.end(bytes, "latin1");
  // A request that is too large may be answered by a reset.
  const replies = await text(socket).catch(() => "");
  return replies
    .split(/^(?=HTTP\/1\.1 \d{3} )/m)
    .filter((reply) => reply !== "")
    .map((reply) => ({
      status: Number(reply.slice(9, 12)),
      verdict: /^auth-status: (.*)\r$/im.exec(reply)?.[1],
    }));
}

const head = (fields: Fields, line = "GET /auth HTTP/1.1") =>
  `${line}\r\nHost: worker.test\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}`;

/** One lookup, after which the worker closes. */
async function ask(fields: Fields, line?: string): Promise<Reply> {
  const [reply, ...more] = await send(`${head(fields, line)}Connection: close\r\n\r\n`);
  assert.deepEqual(more, []);
  return reply ?? { status: 0, verdict: undefined };
}

test("the lookup that the other tests change is answered with yes", async () => {
  assert.deepEqual(await ask(LOOKUP), { status: 200, verdict: "OK" });
});

describe("a header that is there twice", () => {
  for (const name of ["X-Auth-Key", "Auth-User", "Auth-Pass", "Auth-Method", "Auth-Protocol"]) {
    test(`never counts once: ${name}`, async () => {
      const value = new Map(LOOKUP).get(name)!;
      for (const pair of [
        [value, value],
        [value, "x"],
        ["x", value],
        ["", value],
        [value, ""],
      ]) {
        for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
          const [first = "", second = ""] = pair;
          const fields = [[name, first], ...without(name), [spelling, second]] as const;
          const { status, verdict } = await ask(fields);
          assert.ok([400, 403].includes(status), `${JSON.stringify(pair)}: ${status}`);
          assert.equal(verdict, undefined);
        }
      }
    });
  }

  test("never counts once: Client-IP, so that a denied client has no second address", async () => {
    for (const pair of [
      ["192.0.2.1", "203.0.113.9"],
      ["203.0.113.9", "192.0.2.1"],
      ["192.0.2.1", "192.0.2.1"],
    ]) {
      const fields: Fields = [
        ...without("Client-IP"),
        ...pair.map((value) => ["Client-IP", value] as const),
      ];
      assert.equal((await ask(fields)).status, 400);
    }
  });

  test("makes no verified certificate of an unverified one", async () => {
    const certificate: Fields = [
      ...without("Auth-Method", "Auth-Pass"),
      ["Auth-Method", "external"],
      ["Auth-Pass", ""],
      ["Auth-SSL-Subject", "CN=alice"],
      ["Auth-SSL-Issuer", "CN=root"],
    ];
    for (const verify of [
      ["NONE", "SUCCESS"],
      ["SUCCESS", "NONE"],
      ["SUCCESS", "SUCCESS"],
      ["FAILED:x", "SUCCESS"],
    ]) {
      const fields = [...certificate, ...verify.map((word) => ["Auth-SSL-Verify", word] as const)];
      assert.match((await ask(fields)).verdict ?? "", /AUTHENTICATIONFAILED/);
    }
  });
});

describe("a lookup that hides another one", () => {
  const BOB: Fields = [...without("Auth-User"), ["Auth-User", "bob@example.test"]];
  const hidden = `${head(BOB)}\r\n`;
  const next = `${head(without("X-Auth-Key"))}Connection: close\r\n\r\n`;

  test("in a body of a stated length is answered once", async () => {
    const replies = await send(
      `${head(LOOKUP)}Content-Length: ${hidden.length}\r\n\r\n${hidden}${next}`,
    );
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 403],
    );
  });

  test("in a chunked body is answered once", async () => {
    const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
    const replies = await send(`${head(LOOKUP)}Transfer-Encoding: chunked\r\n\r\n${chunk}${next}`);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 403],
    );
  });

  for (const [how, framing] of Object.entries({
    "two lengths": `Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n`,
    "two lengths in one header": `Content-Length: 0, ${hidden.length}\r\n`,
    "a length and chunks": `Content-Length: ${hidden.length}\r\nTransfer-Encoding: chunked\r\n`,
    "an unknown coding": `Transfer-Encoding: xchunked\r\nContent-Length: ${hidden.length}\r\n`,
    "chunked twice": `Transfer-Encoding: chunked, chunked\r\n`,
    "chunked with a tab": `Transfer-Encoding:\tchunked\r\n`,
    "a space before the colon": `Content-Length : ${hidden.length}\r\n`,
    "a negative length": `Content-Length: -1\r\n`,
    "a length in hex": `Content-Length: 0x${hidden.length.toString(16)}\r\n`,
    "a signed length": `Content-Length: +${hidden.length}\r\n`,
    "a bare LF in a header": `X: y\nContent-Length: ${hidden.length}\r\n`,
    "a bare CR in a header": `X: y\rContent-Length: ${hidden.length}\r\n`,
    "a folded line": `X: y\r\n Content-Length: ${hidden.length}\r\n`,
    "a NUL in a header": `X: y\0\r\nContent-Length: ${hidden.length}\r\n`,
  })) {
    test(`behind ${how} gets no key from the lookup before it`, async () => {
      const keyless = `${head(without("X-Auth-Key"))}\r\n`;
      const replies = await send(`${head(LOOKUP)}${framing}\r\n${keyless}`);
      assert.ok(replies.filter(({ verdict }) => verdict !== undefined).length <= 1);
      for (const { status, verdict } of replies.slice(1)) {
        assert.ok(status >= 400);
        assert.equal(verdict, undefined);
      }
    });
  }

  test("in a header's value is part of the value", async () => {
    for (const value of [
      "alice@example.test%0d%0aAuth-User:%20bob@example.test",
      "alice@example.test%0aX",
      "alice@example.test%00",
    ]) {
      const { status, verdict } = await ask([...without("Auth-User"), ["Auth-User", value]]);
      assert.deepEqual([status, verdict], [400, undefined], value);
    }
  });
});

test("another spelling of the path, or another method, is no way around the key", async () => {
  const paths = [
    "/auth/",
    "//auth",
    "/./auth",
    "/x/../auth",
    "/%61uth",
    "/AUTH",
    "/auth%00",
    "/auth;x",
    "/auth?x=/healthz",
    "/auth%2f..",
    "/healthz/../auth",
    "/cgi-bin/nginxauth.cgi/",
    "/cgi-bin/../auth",
    "http://other.test/auth",
    "http://worker.test:1/admin/api/users",
    "/admin/api/../../auth",
    "/fleet/../auth",
    "*",
  ];
  for (const path of paths) {
    for (const method of ["GET", "HEAD", "POST", "OPTIONS", "TRACE", "PROPFIND"]) {
      const { status, verdict } = await ask(without("X-Auth-Key"), `${method} ${path} HTTP/1.1`);
      assert.equal(verdict, undefined, `${method} ${path}`);
      assert.ok(status === 0 || status >= 400, `${method} ${path}: ${status}`);
    }
  }
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    assert.equal((await ask(LOOKUP, `${method} /auth HTTP/1.1`)).status, 405, method);
  }
});

test("mail without a login is for SMTP alone, in no spelling for another protocol", async () => {
  for (const protocol of ["imap", "pop3", "IMAP", "sieve", "smtp,imap", "imap;smtp", ""]) {
    for (const method of ["none", "None", "NONE", "none,plain", "none\t"]) {
      const fields: Fields = [
        ...without("Auth-Method", "Auth-Protocol"),
        ["Auth-Method", method],
        ["Auth-Protocol", protocol],
        ["Auth-SMTP-To", "RCPT TO:<alice@example.test>"],
      ];
      const { status, verdict } = await ask(fields);
      assert.deepEqual([status, verdict], [400, undefined], `${method} ${protocol}`);
    }
  }
});

test("no header but Client-IP says where the client is", async () => {
  const elsewhere = (ip: string): Fields => [
    ["Proxy-Protocol-Addr", ip],
    ["Proxy-Protocol-Port", "1"],
    ["Proxy-Protocol-Server-Addr", ip],
    ["X-Forwarded-For", ip],
    ["X-Real-IP", ip],
    ["Forwarded", `for=${ip}`],
    ["True-Client-IP", ip],
    ["CF-Connecting-IP", ip],
    ["Client-Host", `[${ip}]`],
  ];
  const allowed = await ask([...LOOKUP, ...elsewhere("203.0.113.9")]);
  assert.equal(allowed.verdict, "OK");
  const denied = await ask([
    ...without("Client-IP"),
    ["Client-IP", "203.0.113.9"],
    ...elsewhere("192.0.2.1"),
  ]);
  assert.match(denied.verdict ?? "", /Not from this network/);
  for (const spelling of [
    "203.0.113.9:25",
    "[203.0.113.9]",
    "203.0.113.009",
    "0xcb007109",
    "3405803785",
    "203.0.113.9, 192.0.2.1",
    "\u00ff",
    "",
  ]) {
    const { status } = await ask([...without("Client-IP"), ["Client-IP", spelling]]);
    assert.equal(status, 400, spelling);
  }
  for (const spelling of ["::ffff:203.0.113.9", "::FFFF:cb00:7109", "0:0:0:0:0:ffff:203.0.113.9"]) {
    const { verdict } = await ask([...without("Client-IP"), ["Client-IP", spelling]]);
    assert.match(verdict ?? "", /Not from this network/, spelling);
  }
});

test("a name or password in an encoding that is not plain UTF-8 is malformed", async () => {
  for (const value of [
    "%",
    "%4",
    "%zz",
    "%u0061lice",
    "\u00ff",
    "\u00c3",
    "%FF",
    "%C0%AE",
    "%E0%80%AE",
    "%ED%A0%80",
    "%F4%90%80%80",
    "%F8%88%80%80%80",
    "=?utf-8?q?alice?= x",
    "alice\tx",
  ]) {
    const asName = await ask([...without("Auth-User"), ["Auth-User", value]]);
    assert.deepEqual([asName.status, asName.verdict], [400, undefined], value);
    const asPassword = await ask([...without("Auth-Pass"), ["Auth-Pass", value]]);
    assert.notEqual(asPassword.verdict, "OK", value);
  }
});

test("headers of any size are answered, or refused, and the next lookup is answered", async () => {
  for (const size of [512, 4096, 16_384, 65_536, 262_144]) {
    for (const name of ["Auth-Pass", "Auth-User", "X-Auth-Key", "Auth-SSL-Subject", "X-More"]) {
      const { verdict } = await ask([...without(name), [name, "a".repeat(size)]]);
      if (name.startsWith("Auth-SSL") || name === "X-More") continue;
      assert.notEqual(verdict, "OK", `${name} ${size}`);
    }
  }
  assert.equal((await ask(LOOKUP)).verdict, "OK");
});

test("of hundreds of lookups with hostile values none is answered with yes, or with an error of ours", async () => {
  let answered = 0;
  const piece = fc.constantFrom(
    ..."'\";-=\\%_*()<>|&$`{}[]!~^".split(""),
    "%00",
    "%0a",
    "%27",
    "' or 1=1 --",
    "${7*7}",
    "__proto__",
    "../",
    "alice@example.test",
    "%ef%bc%87",
  );
  const value = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
  const name = fc.constantFrom(
    "Auth-User",
    "Auth-Pass",
    "Auth-Method",
    "Auth-Protocol",
    "Auth-Salt",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 3 }),
      async (changes) => {
        const headers = Object.fromEntries(changes);
        const answer = await worker.ask({
          ...headers,
          "Auth-Pass": headers["Auth-Pass"] ?? "wrong",
        });
        assert.ok([200, 400].includes(answer.status), `${answer.status}`);
        assert.notEqual(answer.auth["auth-status"], "OK");
        answered += Number(answer.status === 200);
      },
    ),
    { numRuns: 300, seed: SEED },
  );
  assert.ok(answered > 30 && answered < 270, `${answered} of 300 were well-formed`);
});
