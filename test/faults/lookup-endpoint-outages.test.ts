import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ProtocolName } from "../../shared/lookup.ts";
import {
  type LookupEndpoint,
  reply,
  route,
  startLookupEndpoint,
} from "../support/peers/lookup-endpoint.ts";
import type { Listener } from "../support/peers/mailbox/listener.ts";
import { anna, attempt, granted, greeted, temporary } from "../support/peers/mail-client.ts";
import { type Servers, inTheClear, startServers } from "../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../support/peers/upstream.ts";

let mailbox: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<ProtocolName>;

before(async () => {
  mailbox = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  endpoint = await startLookupEndpoint((lookup) => {
    if (lookup.header("Auth-Pass") !== anna.password) return reply(200, { "Auth-Status": "no" });
    const cache = lookup.header("Auth-User")?.startsWith("once") ? "no-store" : CACHE;
    return route(mailbox.port, { "Cache-Control": cache });
  });
  postern = await startServers(
    `auth_http ${endpoint.address}; auth_http_cache on entries=100;`,
    inTheClear,
  );
});
after(async () => {
  await postern.stop();
  await Promise.all([endpoint.close(), mailbox.close()]);
});

/** Each login asks the endpoint; a cached answer serves for an hour while it is down. */
const CACHE = "private, max-age=0, stale-if-error=3600";

async function logIn(who: Partial<typeof anna> = {}): Promise<string> {
  const wire = await greeted("imap", postern.ports.imap);
  return attempt("imap", wire, { ...anna, ...who });
}

test("while the lookup endpoint is down, users who logged in before can log in and others get a temporary failure; afterwards all can log in", async () => {
  const once = { login: "once@example.test" };
  const wrong = { password: "wrong" };
  assert.match(await logIn(), granted.imap);
  assert.match(await logIn(once), granted.imap);
  assert.match(await logIn(wrong), /^a NO no/);
  assert.match(endpoint.lookups[0]!.header("Auth-Accept")!, /\bcache\b/);

  await endpoint.close();
  assert.match(await logIn(), granted.imap);
  // Three failures: five in a row would open the circuit breaker.
  for (const who of [{ login: "berta@example.test" }, once, wrong]) {
    assert.match(await logIn(who), temporary.imap);
  }
  await postern.proxy.program.logs(/\[warn\].*an earlier answer is used.*login: "anna@/);

  await endpoint.listener.listen(endpoint.port);
  const asked = endpoint.lookups.length;
  assert.match(await logIn(), granted.imap);
  assert.equal(endpoint.lookups.length, asked + 1);
  assert.match(await logIn(wrong), /^a NO no/);
  assert.match(await logIn({ login: "berta@example.test" }), granted.imap);
});
