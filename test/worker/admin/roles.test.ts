// Every route of the admin API and of the fleet's, with every kind of caller. The OpenAPI document lists the routes.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import { adminTokens } from "../../../worker/directory/schema/index.ts";
import {
  type Admin,
  BOOTSTRAP_SECRET,
  type Json,
  send,
  startAdmin,
  tokenOf,
} from "../../support/worker/admin.ts";
import { fetchAnew } from "../../support/http/http.ts";
import { secret } from "../../support/secrets.ts";

/** The part of Hono that this test reads. The worker's types are not those of tests. */
interface Routes {
  readonly routes: readonly { readonly method: string; readonly path: string }[];
}

// This module loads password code, which needs the hook of `support/passwords.ts` first.
const APP: string = "../../../worker/admin/index.ts";
const { admin: program } = (await import(APP)) as { readonly admin: Routes };

const LOOKUP_KEY = secret("canary-lookup-key");
const FLEET = secret("postern_test-fleet");
const EXPIRED = secret("postern_test-expired");
const DELETED = secret("postern_test-deleted");

/** The roles that may do what needs a role. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  read: ["read", "support", "admin"],
  support: ["support", "admin"],
  admin: ["admin"],
};

const ROLES = ["read", "support", "admin", "fleet"] as const;

/** Callers without a role, by the token that they send. */
const STRANGERS: Readonly<Record<string, string | null>> = {
  "no token": null,
  "a wrong token": "postern_wrong",
  "an expired token of an admin": EXPIRED,
  "a deleted token of an admin": DELETED,
  "the lookup key": LOOKUP_KEY,
  "the bootstrap secret": BOOTSTRAP_SECRET,
};

let admin: Admin;
let operations: Operation[];
before(async () => {
  admin = await startAdmin({
    secrets: { LOOKUP_KEYS: LOOKUP_KEY, ADMIN_BOOTSTRAP: BOOTSTRAP_SECRET },
    seed: { groups: [{ name: "mail" }] },
  });
  const created = new Date();
  for (const [name, token, role, expires] of [
    ["fleet", FLEET, "fleet", null],
    ["expired", EXPIRED, "admin", new Date(Date.now() - 1000)],
    ["deleted", DELETED, "admin", null],
  ] as const) {
    const digest = createHash("sha256").update(token).digest("hex");
    await admin.db.insert(adminTokens).values({ name, digest, role, created, expires });
  }
  assert.equal((await admin.call("admin", "DELETE", "/tokens/deleted")).status, 204);
  operations = operationsIn((await send(admin, "/openapi.json")).body);
});
after(() => admin.close());

interface Operation {
  readonly method: string;
  /** `/users/{address}` */
  readonly path: string;
  readonly security: Json;
}

function operationsIn({ paths }: Json): Operation[] {
  return Object.entries<Json>(paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, { security }]) => {
      return { method: method.toUpperCase(), path, security };
    }),
  );
}

/** Sends what no operation accepts, so that a caller who may act changes nothing. */
async function statusOf({ method, path }: Operation, token: string | null): Promise<number> {
  const headers = {
    "Content-Type": "application/json",
    ...(token !== null && { Authorization: `Bearer ${token}` }),
  };
  const body = ["POST", "PATCH", "PUT"].includes(method) ? { body: '{"none":1}' } : {};
  const at = path.replaceAll(/\{\w+\}/g, "x");
  return (await send(admin, at, { method, headers, ...body })).status;
}

const isBootstrap = ({ path }: Operation) => path === "/bootstrap";

test("every route of the program is in the document", () => {
  // Middlewares stand in the same list under `*`.
  const routes = program.routes.filter(({ path }) => !path.includes("*"));
  const known = new Set(operations.map(({ method, path }) => `${method} ${path}`));
  const unknown = routes
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`)
    .filter((route) => !known.has(route) && route !== "GET /openapi.json");
  assert.deepEqual([...new Set(unknown)], []);
  assert.ok(routes.length >= operations.length);
});

test("every operation declares one role, and bootstrap the secret alone", () => {
  assert.ok(operations.length > 40, `${operations.length}`);
  for (const { method, path, security } of operations) {
    if (path === "/bootstrap") assert.deepEqual(security, [{ bootstrap: [] }]);
    else {
      const [role] = security?.[0]?.token ?? [];
      assert.deepEqual(security, [{ token: [role] }], `${method} ${path}`);
      assert.ok(role in MAY, `${method} ${path} needs ${role}`);
    }
  }
});

test("only readers' operations are open to readers, and nothing that reads hashes", () => {
  for (const { method, path, security } of operations) {
    if (path === "/bootstrap") continue;
    const [role] = security[0].token;
    assert.equal(role === "read", method === "GET" && path !== "/export", `${method} ${path}`);
  }
});

for (const [caller, token] of Object.entries(STRANGERS)) {
  test(`a caller with ${caller} gets 401 from every operation`, async () => {
    for (const operation of operations) {
      if (isBootstrap(operation) && token === BOOTSTRAP_SECRET) continue;
      const { method, path } = operation;
      // An operation that reads answers HEAD too, and a body's faults are found before bootstrap's secret.
      const wanted = isBootstrap(operation) ? [400, 401] : [401];
      assert.ok(wanted.includes(await statusOf(operation, token)), `${method} ${path}`);
      if (method !== "GET") continue;
      assert.equal(await statusOf({ ...operation, method: "HEAD" }, token), 401, `HEAD ${path}`);
    }
  });
}

for (const role of ROLES) {
  test(`a token of the role ${role} gets 403 where the document asks for more, and nowhere else`, async () => {
    let refused = 0;
    for (const operation of operations) {
      if (isBootstrap(operation)) continue;
      const { method, path, security } = operation;
      const permitted = MAY[security[0].token[0]]!.includes(role);
      const status = await statusOf(operation, role === "fleet" ? FLEET : tokenOf(role));
      assert.equal(status === 403, !permitted, `${method} ${path}: ${status}`);
      assert.ok(status !== 401 && status < 500, `${method} ${path}: ${status}`);
      refused += Number(status === 403);
    }
    assert.equal(refused === 0, role === "admin");
  });
}

test("the fleet's routes are for a fleet token alone", async () => {
  const ask = async (method: string, path: string, token: string | null) => {
    const headers = {
      "Content-Type": "application/json",
      ...(token !== null && { Authorization: `Bearer ${token}` }),
    };
    const body = method === "POST" ? { body: '{"reports":[]}' } : {};
    const { status } = await fetchAnew(new URL(path, admin.url), { method, headers, ...body });
    return status;
  };
  for (const [method, path, answered] of [
    ["POST", "/fleet/health", 204],
    ["GET", "/fleet/live", 426],
  ] as const) {
    for (const [caller, token] of Object.entries(STRANGERS)) {
      assert.equal(await ask(method, path, token), 401, `${path} with ${caller}`);
    }
    for (const role of ["read", "support", "admin"] as const) {
      assert.equal(await ask(method, path, tokenOf(role)), 403, `${path} as ${role}`);
    }
    assert.equal(await ask(method, path, FLEET), answered);
  }
});

test("a lookup key opens lookups, and no token does", async () => {
  for (const path of ["/auth", "/cgi-bin/nginxauth.cgi"]) {
    const known = await admin.ask({ "X-Auth-Key": LOOKUP_KEY }, path);
    assert.equal(known.status, 200);
    for (const token of [tokenOf("admin"), FLEET, BOOTSTRAP_SECRET]) {
      const answer = await admin.ask(
        { "X-Auth-Key": token, Authorization: `Bearer ${token}` },
        path,
      );
      assert.equal(answer.status, 403);
      assert.deepEqual(answer.auth, {});
    }
  }
  for (const path of ["/admin/api/users", "/admin/api/export", "/fleet/live", "/fleet/health"]) {
    const answer = await admin.ask({ "X-Auth-Key": LOOKUP_KEY }, path);
    assert.equal(answer.status, 401, path);
  }
});

test("only an export tells hashes, and no response tells a digest, a sealed secret or a token twice", async () => {
  const address = "alice@example.test";
  const passwordHash = "$6$rounds=5000$saltsalt$" + "a".repeat(86);
  const made = await admin.call("admin", "POST", "/users", {
    address,
    group: "mail",
    passwordHash,
  });
  assert.equal(made.status, 201);
  const app = await admin.call("admin", "POST", "/app-passwords", { user: address, label: "p" });
  const told = [made.body];
  const echoes = [
    ["POST", `/users/${address}/password`, { passwordHash }],
    ["PATCH", `/users/${address}`, { imap: true }],
    ["POST", "/users", { address, group: "mail", passwordHash }],
    ["POST", "/import", { users: [{ address, passwordHash }] }],
    ["POST", "/import", { users: [{ address, passwordHash: `${passwordHash}!` }] }],
    ["POST", "/import", { users: [{ address, passwordHash, [passwordHash]: 1 }] }],
    ["POST", `/users/${address}/password`, { passwordHash: `${passwordHash}!` }],
    ["POST", `/users/${address}/password`, { passwordHash, password: passwordHash }],
    ["POST", `/users/${address}/password`, { passwordHash: [passwordHash] }],
  ] as const;
  for (const [method, path, body] of echoes) {
    told.push((await admin.call("admin", method, path, body)).body);
  }
  for (const { method, path, security } of operations) {
    if (method !== "GET" || path === "/export") continue;
    const at = path
      .replace("{user}/{label}", `${address}/p`)
      .replaceAll(/\{(?:address|user)\}/g, address)
      .replaceAll(/\{\w+\}/g, "mail");
    told.push((await admin.call(security[0].token[0], "GET", at)).body);
  }
  const text = JSON.stringify(told);
  assert.ok(text.includes(address));
  const [rows] = await admin.db.all<Record<string, string>>(
    sql`select digest from app_passwords where user = ${address}`,
  );
  for (const hidden of ["a".repeat(86), rows!["digest"]!, app.body.password, tokenOf("admin")]) {
    assert.ok(!text.includes(hidden), hidden);
  }
  const exported = await admin.call("admin", "GET", "/export");
  assert.equal(exported.body.items[0].passwordHash, passwordHash);
});

test("the document's responses name no hash, digest or sealed secret, but for the export's", async () => {
  const { paths } = (await send(admin, "/openapi.json")).body;
  for (const { method, path } of operations) {
    const { responses } = paths[path][method.toLowerCase()];
    const named = /passwordHash|digest|sealed/.test(JSON.stringify(responses));
    assert.equal(named, path === "/export", `${method} ${path}`);
  }
});
