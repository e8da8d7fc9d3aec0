import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { eq } from "drizzle-orm";
import { serverHealth, servers } from "../../../worker/directory/schema/index.ts";
import { type Admin, send, startAdmin, tokenOf } from "../../support/worker/admin.ts";

/** "wonderland", cheap to verify. */
const passwordHash = "$argon2id$v=19$m=1024,t=1,p=4$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g";

const why = "recv() failed (111: Connection refused)";

let admin: Admin;
/** The proxies' tokens, by the names of the proxies. */
let keys: Record<string, string>;

before(async () => {
  const mail = (name: string, group: string, last: number) => {
    const ports = { imapPort: 143, pop3Port: 110, smtpPort: 25 };
    return { name, group, host: `192.0.2.${last}`, position: last, ...ports };
  };
  admin = await startAdmin({
    seed: {
      groups: [
        { name: "shared", policy: "first", storage: "shared" },
        { name: "own", policy: "first" },
      ],
      servers: [
        mail("s1", "shared", 1),
        mail("s2", "shared", 2),
        { ...mail("s3", "shared", 3), host: "s3.example.test" },
        mail("o1", "own", 11),
        mail("o2", "own", 12),
      ],
      domains: [{ name: "open.example.test", group: "shared", recipients: "any" }],
      users: [
        { address: "alice@example.test", group: "shared", passwordHash },
        { address: "pinned@example.test", group: "shared", server: "s1", passwordHash },
        { address: "owner@example.test", group: "own", server: "o1", passwordHash },
        { address: "new@example.test", group: "own", passwordHash },
      ],
    },
  });
  keys = { one: await newKey("one"), two: await newKey("two") };
});
after(() => admin.close());

beforeEach(async () => {
  for (const table of ["votes", "proxies", "published"]) {
    await admin.fleet.exec(`delete from ${table}`);
  }
  await admin.db.delete(serverHealth);
  await admin.db.update(servers).set({ state: "up", health: "reported" });
});

async function newKey(name: string): Promise<string> {
  const { status, body } = await admin.call("admin", "POST", "/tokens", { name, role: "fleet" });
  assert.equal(status, 201);
  return body.token;
}

/** @param body a stream is sent with chunked coding */
function post(
  body: string | ReadableStream,
  headers: Record<string, string> = {},
): Promise<Response> {
  const given = { Authorization: `Bearer ${keys["one"]}`, "Content-Type": "application/json" };
  const url = new URL("/fleet/health", admin.url);
  const init = { method: "POST", headers: { ...given, ...headers }, body, duplex: "half" };
  return fetch(url, init as RequestInit);
}

/** Sends the same report from all proxies. */
async function report(state: "failing" | "serving", ...at: readonly string[]): Promise<void> {
  const reports = at.map((server) => {
    const colon = server.lastIndexOf(":");
    const place = { host: server.slice(0, colon), port: Number(server.slice(colon + 1)) };
    return { ...place, state, ...(state === "failing" && { why }) };
  });
  for (const key of Object.values(keys)) {
    const said = await post(JSON.stringify({ reports }), { Authorization: `Bearer ${key}` });
    assert.equal(said.status, 204);
  }
}

/** The servers in a lookup's reply. */
async function named(headers: Record<string, string> = {}): Promise<string[]> {
  const { status, auth } = await admin.ask({ "Auth-Accept": "hostname, fallback", ...headers });
  assert.equal(status, 200);
  const others = auth["auth-fallback"]?.split(", ").map((one) => one.replace(/:\d+$/, "")) ?? [];
  return [auth["auth-server"]!, ...others];
}

describe("a report is accepted", () => {
  test("only from a proxy: not from an operator, a caller of lookups or a stranger", async () => {
    const body = JSON.stringify({ reports: [] });
    for (const [status, authorization] of [
      [401, ""],
      [401, "Bearer wrong"],
      [401, `Basic ${keys["one"]}`],
      [401, "Bearer key"],
      [403, `Bearer ${tokenOf("read")}`],
      [403, `Bearer ${tokenOf("admin")}`],
      [204, `Bearer ${keys["one"]}`],
    ] as const) {
      const said = await post(body, { Authorization: authorization, "X-Auth-Key": "key" });
      assert.equal(said.status, status, authorization);
    }
    assert.deepEqual(await admin.fleet.exec("select name from proxies"), [{ name: "one" }]);
  });

  test("not with a deleted token", async () => {
    const key = await newKey("gone");
    const authorization = { Authorization: `Bearer ${key}` };
    assert.equal((await post('{"reports":[]}', authorization)).status, 204);
    assert.equal((await admin.call("admin", "DELETE", "/tokens/gone")).status, 204);
    assert.equal((await post('{"reports":[]}', authorization)).status, 401);
  });

  test("only in its form: a malformed report counts no vote", async () => {
    const good = { host: "192.0.2.1", port: 143, state: "failing", why };
    const { state: _, ...stateless } = good;
    for (const body of [
      "",
      "{",
      "[]",
      "null",
      "{}",
      '{"reports":{}}',
      ...[
        [good, null],
        [{ ...good, port: 0 }],
        [{ ...good, port: 65_536 }],
        [{ ...good, port: "143" }],
        [{ ...good, host: "" }],
        [{ ...good, host: "x".repeat(254) }],
        [{ ...good, state: "down" }],
        [stateless],
        [{ ...good, why: "x".repeat(201) }],
        [{ ...good, why: "two\nlines" }],
        [{ ...good, host: "\x1b[2J" }],
        [{ ...good, proxy: "two" }],
        Array.from({ length: 101 }, (__, n) => ({ ...good, port: n + 1 })),
      ].map((reports) => JSON.stringify({ reports })),
      JSON.stringify({ reports: [], more: 1 }),
    ]) {
      const said = await post(body);
      assert.equal(said.status, 400, body.slice(0, 100));
      assert.match(String(((await said.json()) as { error: unknown }).error), /./);
    }
    const plain = { "Content-Type": "text/plain" };
    assert.equal((await post(JSON.stringify({ reports: [good] }), plain)).status, 415);
    assert.deepEqual(await admin.fleet.exec("select * from votes"), []);
  });

  test("only up to a size, with and without Content-Length", async () => {
    const padded = `{"reports":[]${" ".repeat(200_000)}}`;
    assert.equal((await post(padded)).status, 413);
    assert.equal((await post(new Blob([padded]).stream())).status, 413);
  });
});

test("a proxy's token gives no access to the admin API", async () => {
  const document = await send(admin, "/openapi.json");
  const paths = Object.entries<Record<string, unknown>>(document.body.paths);
  assert.ok(paths.length > 20);
  for (const [path, methods] of paths) {
    if (path === "/bootstrap") continue;
    for (const method of Object.keys(methods)) {
      const init = {
        method: method.toUpperCase(),
        headers: { Authorization: `Bearer ${keys["one"]}`, "Content-Type": "application/json" },
        ...(["post", "patch"].includes(method) && { body: "{}" }),
      };
      const { status } = await send(admin, path.replaceAll(/[{}]/g, ""), init);
      assert.equal(status, 403, `${method} ${path}`);
    }
  }
});

describe("lookups with shared storage", () => {
  test("avoid a server that proxies agree on, until it serves again", async () => {
    assert.deepEqual(await named(), ["192.0.2.1", "192.0.2.2", "s3.example.test"]);
    await report("failing", "192.0.2.1:143", "S3.Example.TEST:143");
    assert.deepEqual(await named(), ["192.0.2.2"]);
    await report("serving", "192.0.2.1:143");
    assert.deepEqual(await named(), ["192.0.2.1", "192.0.2.2"]);
  });

  test("ignore an expired row that was not deleted", async () => {
    await report("failing", "192.0.2.1:143");
    await admin.db.update(serverHealth).set({ until: new Date() });
    assert.equal((await named())[0], "192.0.2.1");
  });

  test("check the port of their own protocol", async () => {
    await report("failing", "192.0.2.1:110");
    assert.equal((await named())[0], "192.0.2.1");
    assert.equal((await named({ "Auth-Protocol": "pop3" }))[0], "192.0.2.2");
  });

  test("use all servers if all fail", async () => {
    await report("failing", "192.0.2.1:143", "192.0.2.2:143");
    assert.deepEqual(await named(), ["s3.example.test"]);
    await report("failing", "s3.example.test:143");
    assert.deepEqual(await named(), ["192.0.2.1", "192.0.2.2", "s3.example.test"]);
    await admin.db.update(servers).set({ state: "down" }).where(eq(servers.name, "s2"));
    assert.deepEqual(await named(), ["192.0.2.1", "s3.example.test"]);
  });

  test("ignore the reports of one proxy out of two", async () => {
    await post('{"reports":[]}', { Authorization: `Bearer ${keys["two"]}` });
    const lie = { host: "192.0.2.1", port: 143, state: "failing", why: "I say so" };
    for (let n = 0; n < 5; n++) await post(JSON.stringify({ reports: [lie] }));
    assert.equal((await named())[0], "192.0.2.1");
  });

  test("send mail for unknown recipients to a server that does not fail", async () => {
    const mail = {
      "Auth-Method": "none",
      "Auth-Protocol": "smtp",
      "Auth-SMTP-Helo": "client.example.test",
      "Auth-SMTP-From": "MAIL FROM:<a@example.com>",
      "Auth-SMTP-To": "RCPT TO:<anybody@open.example.test>",
    };
    assert.equal((await named(mail))[0], "192.0.2.1");
    await report("failing", "192.0.2.1:25");
    assert.equal((await named(mail))[0], "192.0.2.2");
  });

  test("send pinned users to their server", async () => {
    await report("failing", "192.0.2.1:143");
    assert.deepEqual(await named({ "Auth-User": "pinned@example.test" }), ["192.0.2.1"]);
  });
});

test("with own storage reports neither move users nor change placements", async () => {
  await report("failing", "192.0.2.11:143");
  assert.deepEqual(await named({ "Auth-User": "owner@example.test" }), ["192.0.2.11"]);
  assert.deepEqual(await named({ "Auth-User": "new@example.test" }), ["192.0.2.11"]);
});

describe("an operator", () => {
  test("sets a server down, and reports do not change that", async () => {
    assert.equal(
      (await admin.call("admin", "PATCH", "/servers/s1", { state: "down" })).status,
      200,
    );
    await report("serving", "192.0.2.1:143");
    assert.deepEqual(await named(), ["192.0.2.2", "s3.example.test"]);
  });

  test("makes lookups ignore reports about a server", async () => {
    await report("failing", "192.0.2.1:143");
    const { status, body } = await admin.call("admin", "PATCH", "/servers/s1", {
      health: "ignored",
    });
    assert.equal(status, 200);
    assert.equal(body.health, "ignored");
    assert.match(body.failing, /^port 143 /);
    assert.equal((await named())[0], "192.0.2.1");
    const wrong = await admin.call("admin", "PATCH", "/servers/s1", { health: "good" });
    assert.equal(wrong.status, 400);
  });

  test("sees the failing servers with ports, expiry and reporting proxies", async () => {
    await report("failing", "192.0.2.1:143", "192.0.2.1:110", "192.0.2.1:9999");
    const { body } = await admin.call("read", "GET", "/servers");
    const rows: { name: string; failing: string | null }[] = body.items;
    const failing = rows.find(({ name }) => name === "s1")!.failing!;
    assert.match(failing, /port 143 until \d\d:\d\d:\d\d UTC: (one|two): recv/);
    assert.match(failing, /port 110 until/);
    assert.doesNotMatch(failing, /9999/);
    assert.ok(rows.every((row) => row.name === "s1" || row.failing === null));
    const shown = await admin.call("read", "GET", "/servers/s1");
    assert.equal(shown.body.failing, failing);
  });

  test("writes a host in any form, and reports about it match", async () => {
    const server = { name: "six", group: "shared", host: "2001:DB8::0:1", imapPort: 143 };
    const made = await admin.call("admin", "POST", "/servers", server);
    assert.equal(made.body.host, "2001:db8::1");
    assert.equal(made.body.failing, null);
    await report("failing", "2001:db8:0::1:143");
    assert.match((await admin.call("read", "GET", "/servers/six")).body.failing, /port 143/);
    assert.equal((await admin.call("admin", "DELETE", "/servers/six")).status, 204);
  });

  test("finds in the log when lookups begin and cease to avoid a server", async () => {
    await report("failing", "192.0.2.77:143");
    await report("serving", "192.0.2.77:143");
    for (const line of [/lookups avoid 192\.0\.2\.77:143/, /lookups use 192\.0\.2\.77:143 again/]) {
      while (!line.test(admin.logs())) await pause(10);
    }
  });
});
