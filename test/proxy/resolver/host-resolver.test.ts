import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ResolveError, SystemResolver, configuredResolver } from "../../../proxy/resolver/index.ts";
import { parseIp } from "../../../shared/address.ts";
import { startNameServer, zone } from "../../support/peers/name-server.ts";
import { resolverOf } from "../../support/proxy/resolver.ts";

const patient = new AbortController().signal;

test("the system resolves its own names", async () => {
  const found = await new SystemResolver().addresses("localhost", patient);
  assert.ok(found.includes("127.0.0.1") || found.includes("::1"), found.join());
});

test("a name that the system does not know fails with nginx's words", async () => {
  await assert.rejects(new SystemResolver().addresses("a..b", patient), (error) => {
    return (
      error instanceof ResolveError &&
      /^(?:3: Host not found|2: Server failure)$/.test(error.message)
    );
  });
});

test("a caller that gives up gets its reason, and other callers of the same name their answer", async () => {
  const names = new SystemResolver();
  const hasty = new AbortController();
  const given = names.addresses("localhost", hasty.signal);
  const asked = names.addresses("localhost", patient);
  hasty.abort(new Error("enough"));
  await assert.rejects(given, /^Error: enough$/);
  assert.notDeepEqual(await asked, []);
});

test("a resolver of the configuration asks its name servers", async () => {
  const server = await startNameServer(zone({ "A mail.test": [{ type: "A", data: "192.0.2.9" }] }));
  const names = configuredResolver(resolverOf([server]), 0);
  assert.deepEqual(await names.addresses("mail.test", patient), ["192.0.2.9"]);
  await assert.rejects(names.addresses("nobody.test", patient), /3: Host not found/);
  await server.close();
});

describe("localhost and the names below it are loopback (RFC 6761 section 6.3)", () => {
  const NAMES = ["localhost", "LOCALHOST", "localhost.", "mail.localhost"];

  test("by the system's resolver", async () => {
    for (const name of NAMES) {
      const found = await new SystemResolver().addresses(name, patient);
      assert.ok(found.length > 0 && found.every(isLoopback), `${name}: ${found.join()}`);
    }
  });

  test("with a resolver of the configuration, whose name servers are not asked", async (t) => {
    const server = await startNameServer(zone({}));
    t.after(() => server.close());
    for (const [settings, addresses] of [
      [{ ipv6: true }, ["127.0.0.1", "::1"]],
      [{ ipv6: false }, ["127.0.0.1"]],
      [{ ipv4: false, ipv6: true }, ["::1"]],
    ] as const) {
      const names = configuredResolver(resolverOf([server], settings), 0);
      for (const name of NAMES) {
        assert.deepEqual(await names.addresses(name, patient), addresses);
      }
    }
    assert.deepEqual(server.queries, []);
  });

  test("and other names that end alike are asked of name servers", async (t) => {
    const server = await startNameServer(
      zone({ "A mylocalhost": [{ type: "A", data: "192.0.2.9" }] }),
    );
    t.after(() => server.close());
    const names = configuredResolver(resolverOf([server]), 0);
    assert.deepEqual(await names.addresses("mylocalhost", patient), ["192.0.2.9"]);
  });
});

function isLoopback(address: string): boolean {
  return parseIp(address)?.range() === "loopback";
}
