import assert from "node:assert/strict";
import { test } from "node:test";
import { ResolveError, SystemResolver, configuredResolver } from "../../../proxy/resolver/index.ts";
import { startNameServer, zone } from "../../support/name-server.ts";
import { resolverOf } from "../../support/resolver.ts";

const patient = new AbortController().signal;

test("the system knows its own names", async () => {
  const found = await new SystemResolver().addresses("localhost", patient);
  assert.ok(found.includes("127.0.0.1") || found.includes("::1"), found.join());
});

test("a name that the system does not know is told in nginx's words", async () => {
  await assert.rejects(new SystemResolver().addresses("a..b", patient), (error) => {
    return (
      error instanceof ResolveError &&
      /^(?:3: Host not found|2: Server failure)$/.test(error.message)
    );
  });
});

test("who gives up hears why, and others who ask for the same name still get their answer", async () => {
  const names = new SystemResolver();
  const hasty = new AbortController();
  const given = names.addresses("localhost", hasty.signal);
  const asked = names.addresses("localhost", patient);
  hasty.abort(new Error("enough"));
  await assert.rejects(given, /^Error: enough$/);
  assert.notDeepEqual(await asked, []);
});

test("name servers of the configuration are asked where there are some", async () => {
  const server = await startNameServer(zone({ "A mail.test": [{ type: "A", data: "192.0.2.9" }] }));
  const names = configuredResolver(resolverOf([server]), 0);
  assert.deepEqual(await names.addresses("mail.test", patient), ["192.0.2.9"]);
  await assert.rejects(names.addresses("nobody.test", patient), /3: Host not found/);
  await server.close();
});
