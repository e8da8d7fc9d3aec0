import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type LookupEndpoint,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
  untilClosed,
} from "../../support/peers/mail-client.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";

let mailbox: Mailbox;
let endpoint: LookupEndpoint;
let postern: Servers<ProtocolName>;

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: anna.login, password: anna.password }],
  });
  endpoint = await startLookupEndpoint((lookup) => {
    const password = lookup.header("Auth-Pass");
    const protocol = lookup.header("Auth-Protocol") as ProtocolName;
    if (password === anna.password) return route(mailbox[protocol].port);
    const refusal = { "Auth-Status": "Go away", "Auth-Error-Code": "535 5.7.8" };
    return reply(200, password === "again" ? { ...refusal, "Auth-Wait": 1 } : refusal);
  });
  postern = await startServers(`auth_http ${endpoint.address};`, inTheClear);
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await mailbox.close();
});

const REFUSAL_LINES = { imap: "a NO Go away", pop3: "-ERR Go away", smtp: "535 5.7.8 Go away" };

describe("a refusal by the lookup", { concurrency: true }, () => {
  for (const protocol of protocolNames) {
    test(`a refusal without Auth-Wait reaches the ${protocol} client in the lookup's words and ends the session`, async () => {
      const wire = await greeted(protocol, postern.ports[protocol]);
      const answer = await attempt(protocol, wire, { ...anna, password: "wrong" });
      assert.equal(answer, REFUSAL_LINES[protocol]);
      assert.deepEqual(await untilClosed(wire), []);
    });

    test(`a refusal with Auth-Wait reaches the ${protocol} client after the wait, and the next login has attempt number 2`, async () => {
      const wire = await greeted(protocol, postern.ports[protocol]);
      const asked = performance.now();
      const answer = await attempt(protocol, wire, { login: protocol, password: "again" });
      assert.equal(answer, REFUSAL_LINES[protocol]);
      assert.ok(performance.now() - asked >= 1000, "the wait was not waited");
      const second = { login: protocol, password: "wrong" };
      assert.equal(await attempt(protocol, wire, second), REFUSAL_LINES[protocol]);
      const attempts = endpoint.lookups
        .filter((lookup) => lookup.header("Auth-User") === protocol)
        .map((lookup) => lookup.header("Auth-Login-Attempt"));
      assert.deepEqual(attempts, ["1", "2"]);
    });

    test(`a ${protocol} client logs in after a refusal with Auth-Wait`, async () => {
      const wire = await greeted(protocol, postern.ports[protocol]);
      await attempt(protocol, wire, { ...anna, password: "again" });
      assert.match(await attempt(protocol, wire), granted[protocol]);
      wire.end();
    });
  }

  test("commands during the wait are answered after the wait, in order", async () => {
    const wire = await greeted("imap", postern.ports.imap);
    wire.write(`a LOGIN x again\r\nb NOOP\r\nc LOGIN x wrong\r\nd NOOP\r\n`);
    assert.deepEqual(await untilClosed(wire), ["a NO Go away", "b OK completed", "c NO Go away"]);
  });
});
