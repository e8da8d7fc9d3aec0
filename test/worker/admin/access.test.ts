import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { adminTokens } from "../../../worker/directory/schema/index.ts";
import {
  type Admin,
  BOOTSTRAP_SECRET,
  send,
  startAdmin,
  tokenOf,
} from "../../support/worker/admin.ts";
import { startHarness } from "../../support/worker/harness.ts";

let admin: Admin;
before(async () => {
  admin = await startAdmin({ seed: { groups: [{ name: "mail" }] } });
});
after(() => admin.close());

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

test("a caller without a token, or with one that is wrong, empty or of another kind, gets 401", async () => {
  for (const init of [
    {},
    bearer("wrong"),
    bearer(""),
    bearer(BOOTSTRAP_SECRET),
    bearer("' or 1=1 --"),
    { headers: { Authorization: "Basic cmVhZDpyZWFk" } },
  ]) {
    const { status, headers, body } = await send(admin, "/users", init);
    assert.equal(status, 401);
    assert.equal(headers.get("WWW-Authenticate"), "Bearer");
    assert.match(body.error, /token/);
  }
});

test("the error for an expired token says that it has expired", async () => {
  const name = "old";
  const made = await admin.call("admin", "POST", "/tokens", {
    name,
    role: "admin",
    expires: "2020-01-01T00:00:00Z",
  });
  assert.equal(made.status, 201);
  const { status, body } = await send(admin, "/users", bearer(made.body.token));
  assert.equal(status, 401);
  assert.match(body.error, /expired/);
});

test("a new token works until it is deleted, and is shown only once", async () => {
  const made = await admin.call("admin", "POST", "/tokens", { name: "mine", role: "read" });
  const { token } = made.body;
  assert.match(token, /^postern_[a-z2-9-]{29}$/);
  assert.equal((await send(admin, "/users", bearer(token))).status, 200);
  const shown = await admin.call("read", "GET", "/tokens/mine");
  assert.deepEqual(Object.keys(shown.body).toSorted(), ["created", "expires", "name", "role"]);
  assert.equal((await admin.call("admin", "DELETE", "/tokens/mine")).status, 204);
  assert.equal((await send(admin, "/users", bearer(token))).status, 401);
});

test("each role may do what it includes, and nothing else", async () => {
  const user = { address: "roles@example.test", group: "mail", password: "secret" };
  const requests = [
    ["GET", "/users", undefined, "read"],
    ["GET", "/audit", undefined, "read"],
    ["POST", "/users", user, "admin"],
    ["PATCH", "/users/roles@example.test", { enabled: true }, "admin"],
    ["POST", "/users/roles@example.test/password", { password: "new" }, "support"],
    ["POST", "/users/roles@example.test/move", { server: null }, "admin"],
    ["POST", "/app-passwords", { user: user.address, label: "phone" }, "support"],
    ["DELETE", "/app-passwords/roles@example.test/phone", undefined, "support"],
    ["POST", "/tokens", { name: "t", role: "admin" }, "admin"],
    ["POST", "/groups", { name: "more" }, "admin"],
    ["DELETE", "/users/roles@example.test", undefined, "admin"],
  ] as const;
  const roles = ["read", "support", "admin"] as const;
  for (const [method, path, body, needed] of requests) {
    for (const role of roles) {
      const { status } = await admin.call(role, method, path, body);
      const allowed = roles.indexOf(role) >= roles.indexOf(needed);
      assert.ok(status < 500);
      assert.equal(status === 403, !allowed, `${role} ${method} ${path}: ${status}`);
    }
  }
});

test("the last token of an admin stays, however many are deleted at once", async () => {
  const fresh = await startAdmin();
  const make = (name: string, role: string, expires: string | null = null) =>
    fresh.call("admin", "POST", "/tokens", { name, role, expires });
  const remove = (name: string) => fresh.call("admin", "DELETE", `/tokens/${name}`);
  await make("expired", "admin", "2020-01-01");
  await make("helper", "support");
  const last = await remove("admin");
  assert.equal(last.status, 409);
  assert.match(last.body.error, /last token of an admin.*make one first/);
  assert.equal((await remove("helper")).status, 204);
  assert.equal((await remove("nobody")).status, 404);

  await make("other", "admin", "2100-01-01");
  const statuses = (await Promise.all(["admin", "other"].map(remove))).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 204).length, 1, statuses.join(" "));
  const { items } = (await fresh.call("read", "GET", "/tokens")).body;
  const names: string[] = items.map(({ name }: { name: string }) => name);
  assert.equal(names.filter((name) => ["admin", "other"].includes(name)).length, 1);
  await fresh.close();
});

test("the bootstrap secret makes the first token, and no second one", async () => {
  const fresh = await startHarness({
    secrets: { LOOKUP_KEYS: "key", ADMIN_BOOTSTRAP: BOOTSTRAP_SECRET },
  });
  const ask = (secret: string, name: string) =>
    send(fresh, "/bootstrap", {
      method: "POST",
      headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/json" },
      body: JSON.stringify({ name }),
    });
  assert.equal((await ask("wrong", "me")).status, 401);
  const answers = await Promise.all(["a", "b", "c"].map((name) => ask(BOOTSTRAP_SECRET, name)));
  assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ["201", "409", "409"]);
  const { token } = answers.find(({ status }) => status === 201)!.body;
  const audit = await send(fresh, "/audit", bearer(token));
  assert.equal(audit.body.items.length, 1);
  assert.equal(audit.body.items[0].actor, "bootstrap");
  assert.equal((await fresh.db.select().from(adminTokens)).length, 1);
  await fresh.close();
});

test("without a bootstrap secret, bootstrap is refused", async () => {
  const fresh = await startHarness();
  for (const secret of ["", "undefined", "x"]) {
    const { status } = await send(fresh, "/bootstrap", {
      method: "POST",
      headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/json" },
      body: JSON.stringify({ name: "me" }),
    });
    assert.equal(status, 401);
  }
  await fresh.close();
});

test("a malformed request gets a sentence that says what is wrong", async () => {
  const { Authorization } = bearer(tokenOf("admin")).headers;
  const post = (headers: Record<string, string>, body: string) =>
    send(admin, "/groups", { method: "POST", headers: { Authorization, ...headers }, body });
  const json = { "Content-Type": "application/json" };
  const cases = [
    [await post({ "Content-Type": "text/plain" }, '{"name":"x"}'), 415, /Content-Type/],
    [await post({ "Content-Type": "application/x-www-form-urlencoded" }, "name=x"), 415, /JSON/],
    [await post(json, "{"), 400, /JSON/],
    [await post(json, "[]"), 400, /object/],
    [await post(json, '{"name":7}'), 400, /^name: expected string/],
    [await post(json, "{}"), 400, /^name: this field is missing$/],
    [await post(json, '{"name":"x","__proto__":{"policy":"hash"}}'), 400, /__proto__/],
    [await post(json, "[".repeat(500_000)), 400, /JSON/],
    [await post({ ...json, "Content-Length": "7" }, '{"name"'), 400, /JSON/],
    [await post(json, '{"name":"x","polici":"hash"}'), 400, /polici/],
    [await post(json, '{"name":"x","policy":"best"}'), 400, /policy/],
    [await post(json, `{"name":"${"x".repeat(2 ** 20)}"}`), 413, /bytes/],
    [await post(json, `{"name":"${"x".repeat(256)}"}`), 400, /name/],
    [await post(json, '{"name":"a\\u0000b"}'), 400, /control/],
    [await admin.call("admin", "GET", "/nothing"), 404, /nothing/],
    [await admin.call("admin", "PUT", "/groups", {}), 404, /nothing/],
    [await admin.call("admin", "GET", "/users?limit=0"), 400, /limit/],
    [await admin.call("admin", "GET", "/users?limit=1001"), 400, /limit/],
    [await admin.call("admin", "GET", "/users?after=%00"), 400, /after/],
    [await admin.call("admin", "GET", "/users?after=e30"), 400, /after/],
    [await admin.call("admin", "GET", "/users?colour=red"), 400, /no field colour/],
    [await admin.call("admin", "GET", "/users?limit=1&limit=2"), 400, /limit/],
    [await admin.call("admin", "GET", "/audit?prefix=a"), 400, /no field prefix/],
    [await admin.call("admin", "GET", "/users/%zz"), 404, /no user/],
    [await admin.call("admin", "OPTIONS", "/users"), 404, /nothing/],
  ] as const;
  for (const [index, [answer, status, sentence]] of cases.entries()) {
    assert.equal(answer.status, status, `case ${index}: ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.error, sentence);
    assert.equal(answer.headers.get("Cache-Control"), "no-store");
    assert.equal(answer.headers.get("X-Content-Type-Options"), "nosniff");
    assert.match(answer.headers.get("Content-Type") ?? "", /^application\/json/);
    assert.equal(answer.headers.get("Access-Control-Allow-Origin"), null);
  }
});

test("the OpenAPI document is valid, and describes every path with its requests and responses", async () => {
  const { status, body } = await send(admin, "/openapi.json");
  assert.equal(status, 200);
  assert.equal(body.openapi, "3.1.0");
  for (const path of [
    "/users/{address}/move",
    "/app-passwords/{user}/{label}",
    "/certificates/{user}/{kind}/{value}",
    "/audit",
    "/bootstrap",
  ]) {
    assert.ok(path in body.paths, path);
  }
  const { schema } = body.paths["/servers"].post.requestBody.content["application/json"];
  assert.equal(schema.properties.imapPort.maximum, 65_535);
  const { valid, errors } = await new Validator().validate(body);
  assert.ok(valid, JSON.stringify(errors));
  for (const [, pattern] of JSON.stringify(body).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)) {
    assert.match("a name", new RegExp(JSON.parse(pattern!), "u"));
  }
  const shown = body.paths["/users"].get.responses["200"].content["application/json"].schema;
  assert.ok(!JSON.stringify(shown).includes("password"));
});
