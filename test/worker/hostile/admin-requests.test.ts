// The admin API as an attacker would call it: from a browser, with odd paths and bodies, and with hostile strings.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { type Admin, type Json, send, startAdmin, tokenOf } from "../../support/worker/admin.ts";
import { ONE_SERVER } from "../../support/worker/directory.ts";
import { fetchAnew } from "../../support/http/http.ts";
import { SEED } from "../../support/property.ts";

const TOKEN = { Authorization: `Bearer ${tokenOf("admin")}` };
const JSON_TYPE = { "Content-Type": "application/json" };
const passwordHash = "$6$rounds=5000$saltsalt$" + "a".repeat(86);

let admin: Admin;
let paths: Json;
before(async () => {
  admin = await startAdmin({
    seed: {
      ...ONE_SERVER,
      domains: [{ name: "example.test", group: "mail" }],
      users: [{ address: "alice@example.test", group: "mail", passwordHash: "x" }],
      aliases: [{ address: "al@example.test", user: "alice@example.test" }],
      appPasswords: [{ user: "alice@example.test", label: "phone", password: "app" }],
    },
  });
  ({ paths } = (await send(admin, "/openapi.json")).body);
});
after(() => admin.close());

/** The rows of each table, so that a test can say that nothing has changed. The tables left out note requests. */
async function contents(): Promise<string> {
  const tables = await admin.db.all<{ name: string }>(
    sql`select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'
      and name not in ('audit', 'revocations', 'sqlite_sequence')`,
  );
  const rows = [];
  for (const { name } of tables) {
    rows.push(name, await admin.db.all(sql`select * from ${sql.identifier(name)} order by 1, 2`));
  }
  return JSON.stringify(rows);
}

describe("a browser on another site", () => {
  const FOREIGN = { Origin: "https://evil.test", "Sec-Fetch-Site": "cross-site" };

  test("gets no permission by CORS for any path, method or header", async () => {
    for (const path of [...Object.keys(paths), "/nothing", "/openapi.json"]) {
      for (const method of ["OPTIONS", "GET"]) {
        const { headers, status } = await send(admin, path.replaceAll(/[{}]/g, ""), {
          method,
          headers: {
            ...FOREIGN,
            "Access-Control-Request-Method": "DELETE",
            "Access-Control-Request-Headers": "authorization, content-type",
          },
        });
        for (const name of headers.keys()) assert.doesNotMatch(name, /^access-control/, path);
        assert.ok(method === "GET" || status >= 400, `${method} ${path}`);
      }
    }
  });

  test("changes nothing by a form, with the operator's cookies", async () => {
    const earlier = await contents();
    for (const type of [
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "text/plain",
      "text/plain; application/json",
      "application/json+x",
      "application/jsonx",
      "x application/json",
      "",
    ]) {
      // Browsers send these three without asking first.
      for (const method of ["POST", "GET", "HEAD"]) {
        const { status } = await send(admin, "/users/alice@example.test/kick", {
          method,
          headers: {
            ...FOREIGN,
            Cookie: `token=${tokenOf("admin")}; Authorization=${tokenOf("admin")}`,
            ...(type !== "" && { "Content-Type": type }),
          },
          ...(method === "POST" && { body: '{"name":"x"}' }),
        });
        assert.ok([401, 404, 415].includes(status), `${method} ${type}: ${status}`);
      }
    }
    assert.equal(await contents(), earlier);
  });

  test("authenticates by the header alone: not by the URL, a cookie or Basic", async () => {
    const token = tokenOf("admin");
    for (const [query, headers] of [
      [`?token=${token}`, {}],
      [`?access_token=${token}`, {}],
      [`?Authorization=Bearer%20${token}`, {}],
      ["", { Cookie: `Authorization=Bearer ${token}` }],
      ["", { Authorization: `Basic ${btoa(`admin:${token}`)}` }],
      ["", { Authorization: token }],
      ["", { Authorization: `Token ${token}` }],
      ["", { Authorization: `Bearer ${token}, Bearer ${token}` }],
      ["", { Authorization: `Bearer ${token} x` }],
      ["", { "X-Authorization": `Bearer ${token}` }],
      ["", { "Proxy-Authorization": `Bearer ${token}` }],
    ] as const) {
      assert.equal((await send(admin, `/users${query}`, { headers })).status, 401, query);
    }
  });
});

describe("a body", () => {
  const post = (body: string | Uint8Array<ArrayBuffer>, headers = {}) =>
    send(admin, "/groups", {
      method: "POST",
      headers: { ...TOKEN, ...JSON_TYPE, ...headers },
      body,
    });

  test("of any other content type, encoding or shape is refused in a sentence", async () => {
    const utf16 = Uint8Array.from(Buffer.from('\ufeff{"name":"x"}', "utf16le"));
    const cases: [string | Uint8Array<ArrayBuffer>, Record<string, string>][] = [
      [utf16, {}],
      [Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0), { "Content-Encoding": "gzip" }],
      ['{"name":"x"}', { "Content-Type": "application/json-patch+json" }],
      ['{"name":"x"}{"name":"y"}', {}],
      ["{'name':'x'}", {}],
      ["NaN", {}],
      ["null", {}],
      ["7", {}],
      ['"name"', {}],
      ["", {}],
    ];
    for (const [body, headers] of cases) {
      const { status, body: told } = await post(body, headers);
      assert.ok([400, 415].includes(status), `${String(body)}: ${status}`);
      assert.equal(typeof told.error, "string");
    }
  });

  test("that is huge is refused before it is read as JSON, though no length announces it", async () => {
    // A worker of its own, because the front of the harness drops other requests with one whose body is not read.
    const own = await startAdmin();
    const huge = `{"name":"${"x".repeat(3 * 1024 * 1024)}"}`;
    const chunked = await fetch(new URL("/admin/api/groups", own.url), {
      method: "POST",
      headers: { ...TOKEN, ...JSON_TYPE },
      body: new Blob([huge]).stream(),
      duplex: "half",
    });
    assert.equal(chunked.status, 413);
    await own.close();
  });

  test("with keys of JavaScript's prototypes changes no object, and is refused", async () => {
    for (const key of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
      for (const value of ['{"enabled":false}', '{"prototype":{"enabled":false}}', "1", "null"]) {
        const { status } = await post(`{"name":"p","${key}":${value}}`);
        assert.equal(status, 400, `${key} ${value}`);
        await send(admin, "/import", {
          method: "POST",
          headers: { ...TOKEN, ...JSON_TYPE },
          body: `{"users":[{"address":"p@example.test","passwordHash":"${passwordHash}","${key}":${value}}]}`,
        });
        // A row with the first of these keys may be taken, as if the key were not there.
        const { status: shown, body } = await admin.call("read", "GET", "/users/p@example.test");
        assert.ok(shown === 404 || (key === "__proto__" && body.enabled === true));
        await admin.call("admin", "DELETE", "/users/p@example.test");
      }
    }
    const made = await admin.call("admin", "POST", "/tokens", { name: "plain", role: "read" });
    assert.equal(made.body.role, "read");
    for (const name of ["__proto__", "constructor", "toString"]) {
      assert.equal((await admin.call("admin", "POST", "/groups", { name })).status, 201, name);
      assert.equal((await admin.call("read", "GET", `/groups/${name}`)).body.name, name);
      assert.equal((await admin.call("admin", "DELETE", `/groups/${name}`)).status, 204);
    }
  });

  test("with a key twice is read once, by its last value, and the audit says the same", async () => {
    const { status, body } = await post('{"name":"twice","policy":"hash","policy":"first"}');
    assert.equal(status, 201);
    assert.equal(body.policy, "first");
    const { items } = (await admin.call("read", "GET", "/audit?subject=twice")).body;
    assert.equal(JSON.parse(items[0].details).policy, "first");
    await admin.call("admin", "DELETE", "/groups/twice");
  });
});

test("no spelling of a path reaches a route without its token and role", async () => {
  for (const path of [
    "/admin/api//users",
    "/admin/api/./users",
    "/admin/api/x/../users",
    "/admin//api/users",
    "/admin/api/%75sers",
    "/admin/api/users/",
    "/admin/api/users%2f",
    "/admin/api/users%00",
    "/admin/api/users;x=1",
    "/admin/api/USERS",
    "/admin/api/export/.",
    "/admin/api/export%2f..%2fusers",
    "/admin/api/openapi.json/../users",
    "/admin/api/openapi.json%2f..%2fusers",
    "/admin/api/bootstrap/../users",
    "/fleet/../admin/api/users",
    "/auth/../admin/api/export",
    "/admin/api/users?x=/openapi.json",
    "/admin/api/users#/openapi.json",
  ]) {
    for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
      const init = { method, headers: JSON_TYPE, ...(method === "POST" && { body: "{}" }) };
      const { status } = await fetchAnew(new URL(path, admin.url), init);
      assert.ok([400, 401, 404].includes(status), `${method} ${path}: ${status}`);
    }
  }
});

test("no row gets a name that a path cannot hold, since it could not be deleted", async () => {
  for (const name of [".", ".."]) {
    for (const [path, body] of [
      ["/groups", { name }],
      ["/users", { address: name, group: "mail", password: "secret" }],
      ["/app-passwords", { user: "alice@example.test", label: name }],
      ["/tokens", { name, role: "read" }],
      ["/certificates", { user: "alice@example.test", kind: "fingerprint", value: name }],
      ["/import", { users: [{ address: name, group: "mail", passwordHash }] }],
    ] as const) {
      const { status, body: told } = await admin.call("admin", "POST", path, body);
      assert.ok(status === 400 || told.created === 0, `${path} ${name}`);
    }
  }
});

test("a header that asks for another method or path is not obeyed", async () => {
  const earlier = await contents();
  for (const headers of [
    { "X-HTTP-Method-Override": "DELETE" },
    { "X-HTTP-Method": "DELETE" },
    { "X-Method-Override": "DELETE" },
    { "X-Original-URL": "/admin/api/export" },
    { "X-Rewrite-URL": "/admin/api/export" },
    { "X-Forwarded-Prefix": "/export" },
  ]) {
    const { status, body } = await send(admin, "/users/alice@example.test", {
      headers: { ...TOKEN, ...headers },
    });
    assert.equal(status, 200);
    assert.equal(body.address, "alice@example.test");
    assert.ok(!("passwordHash" in body));
  }
  assert.equal(await contents(), earlier);
});

/** Strings that would end a string, a statement or a pattern, and some that are no text at all. */
const hostile = fc.oneof(
  fc.constantFrom(
    "' or ''='",
    "'; delete from users; --",
    '" or ""="',
    "') or 1=1 --",
    "x' union select password_hash from users --",
    "%' or address like '%",
    "%",
    "_",
    "*",
    "?",
    "?1",
    ":a",
    "@x",
    "$1",
    "\\",
    "\\'",
    "`",
    "[users]",
    "--",
    "/*",
    ";",
    "null",
    "0x27",
    "char(39)",
    "{}",
    "$.a",
    "\u02bc or 1=1",
    "\uff07 or 1=1",
    "\u{10FFFF}",
    "\ud800",
    "\u0000",
    "\r\nX: y",
    "..",
    "a".repeat(2000),
  ),
  fc.string({ unit: "binary", maxLength: 12 }),
);

/** The segment of a path with any text, as a client escapes it. A lone surrogate has no such form. */
const escaped = (text: string) => encodeURIComponent(text.toWellFormed());

test("a hostile string in any filter finds no other row, and in any path no row, and changes nothing", async () => {
  const earlier = await contents();
  const lists = Object.entries<Json>(paths).flatMap(([path, { get }]) =>
    (get?.parameters ?? [])
      .filter(({ in: place, name }: Json) => place === "query" && name !== "limit")
      .map(({ name }: Json) => [path, name] as const),
  );
  const rows = Object.entries<Json>(paths)
    .filter(([path]) => path.includes("{"))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => [path, method] as const));
  assert.ok(lists.length > 15 && rows.length > 25, `${lists.length} ${rows.length}`);
  let answered = 0;
  let asked = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...lists),
      fc.constantFrom(...rows),
      hostile,
      async ([list, filter], [path, method], text) => {
        const found = await admin.call("admin", "GET", `${list}?${filter}=${escaped(text)}`);
        assert.ok([200, 400].includes(found.status), `${list} ${filter}: ${found.status}`);
        // An empty prefix finds all rows. The audit has an entry for each kick of an unknown user.
        if (found.status === 200 && filter !== "prefix") {
          const others = found.body.items.filter((row: Json) => row[filter] !== text);
          assert.deepEqual(others, []);
        }
        const at = path.replaceAll(/\{\w+\}/g, escaped(text) || "-");
        const changes = ["post", "patch"].includes(method) && { enabled: false };
        asked += 1;
        answered += Number(found.status === 200);
        // No name is these two, which a client takes out of the path.
        if (text === "." || text === "..") return;
        const { status } = await fetchAnew(new URL(`/admin/api${at}`, admin.url), {
          method: method.toUpperCase(),
          headers: { ...TOKEN, ...JSON_TYPE },
          ...(changes && { body: JSON.stringify(changes) }),
        });
        // A kick of an unknown user is passed on, since a deleted one may be logged in.
        assert.ok([204, 400, 404, 409].includes(status), `${method} ${at}: ${status}`);
        assert.ok(status !== 204 || path.endsWith("/kick"), `${method} ${at}`);
      },
    ),
    { numRuns: 400, seed: SEED },
  );
  assert.ok(answered > asked / 4, `${answered} of ${asked} filters were well-formed`);
  assert.equal(await contents(), earlier);
});

describe("a user cannot be made twice", () => {
  const create = (address: string) =>
    admin.call("admin", "POST", "/users", { address, group: "mail", passwordHash });

  test("by the case of letters, by another form of Unicode or by another spelling of the domain", async () => {
    for (const [first, ...others] of [
      ["mia@example.test", "MIA@example.test", "Mia@EXAMPLE.TEST", "mia@\uff25xample.test"],
      [
        "j\u00f6rg@example.test",
        "jo\u0308rg@example.test",
        "J\u00d6RG@example.test",
        "JO\u0308RG@EXAMPLE.test",
      ],
      ["\u01f0@example.test", "J\u030c@example.test", "j\u030c@example.test"],
      ["\u00e5@example.test", "\u212b@example.test", "A\u030a@example.test"],
      ["k@example.test", "\u212a@example.test"],
      ["ulla@b\u00fccher.test", "ulla@xn--bcher-kva.test", "ULLA@BU\u0308CHER.TEST"],
    ] as const) {
      assert.equal((await create(first)).status, 201, first);
      for (const other of others) {
        assert.equal((await create(other)).status, 409, `${first} and ${other}`);
        const report = (
          await admin.call("admin", "POST", "/import", {
            users: [{ address: other, passwordHash, group: "mail" }],
          })
        ).body;
        assert.deepEqual([report.created, report.unchanged], [0, 1], `${first} and ${other}`);
        const alias = { address: other, user: "alice@example.test" };
        assert.equal((await admin.call("admin", "POST", "/aliases", alias)).status, 409, other);
      }
    }
  });

  test("within one import", async () => {
    const users = ["pia@example.test", "PIA@example.test", "pia@EXAMPLE.test"].map((address) => {
      return { address, passwordHash, group: "mail" };
    });
    const { body } = await admin.call("admin", "POST", "/import", { users });
    assert.equal(body.created, 1);
    assert.deepEqual(
      body.refused.map(({ index }: Json) => index),
      [1, 2],
    );
  });

  test("and logins in any of these forms are of the one user", async () => {
    for (const login of ["alice@example.test", "ALICE@example.test", "alice@EXAMPLE.TEST"]) {
      const { body } = await admin.call("read", "GET", `/users/${encodeURIComponent(login)}`);
      assert.equal(body.address, "alice@example.test", login);
    }
  });

  test("and a letter of another script that looks the same makes another user, never the same one", async () => {
    // Cyrillic a and o, Greek o, a full-width a, a long s, a dotless i.
    for (const name of ["\u0430lice", "al\u0456ce", "\uff41lice", "alic\u0435", "al\u0131ce"]) {
      const { status, body } = await create(`${name}@example.test`);
      assert.equal(status, 201, name);
      assert.notEqual(body.address, "alice@example.test");
      const { body: alice } = await admin.call("read", "GET", "/users/alice@example.test");
      assert.equal(alice.address, "alice@example.test");
    }
  });
});
