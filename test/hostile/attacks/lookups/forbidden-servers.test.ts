// Lookup replies that name what they may not (SSRF): no spelling of a forbidden address, no name that resolves to one, and
// no fallback is dialled, and none keeps the client from a server that is permitted.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../../support/peers/attack-site.ts";
import { route } from "../../../support/peers/lookup-endpoint.ts";
import { attempt, greeted, protocolNames } from "../../../support/peers/mail-client.ts";
import { temporary, untilClosed } from "../../../support/peers/mail-client.ts";
import { type NameServer, startNameServer, zone } from "../../../support/peers/name-server.ts";

let names: NameServer;
let site: AttackSite<ProtocolName>;
/** Addresses of a name that change with each question, as DNS rebinding changes them. */
let turn = 0;

before(async () => {
  names = await startNameServer(
    zone({
      "A rebound.test": [{ type: "A", data: "127.0.0.1" }],
      "A mixed.test": [
        { type: "A", data: "127.0.0.3" },
        { type: "A", data: "127.0.0.1" },
      ],
      "A alias.test": [
        { type: "CNAME", data: "rebound.test" },
        { type: "A", data: "127.0.0.1", name: "rebound.test" },
      ],
      "A turning.test": (query) => {
        const data = turn++ % 2 === 0 ? "127.0.0.1" : "127.0.0.2";
        return zone({ "A turning.test": [{ type: "A", data, ttl: 0 }] })(query);
      },
      "A permitted.test": [{ type: "A", data: "127.0.0.2" }],
    }),
  );
  site = await startAttackSite(
    `resolver ${names.address} ipv6=off valid=1s; proxy_connect_timeout 500ms; max_fails 0;
     upstream_deny 127.0.0.0/8 ::1 0.0.0.0/8 ::; upstream_allow 127.0.0.2;`,
    {
      imap: "listen 127.0.0.1:PORT; protocol imap;",
      pop3: "listen 127.0.0.1:PORT; protocol pop3;",
      smtp: "listen 127.0.0.1:PORT; protocol smtp; proxy_smtp_auth on; xclient off;",
    },
  );
});
after(async () => {
  await site.stop();
  await names.close();
});

const FORBIDDEN = [
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "::1",
  "::",
  "0:0:0:0:0:0:0:1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::1",
  "localhost",
  "LocalHost",
  "localhost.",
  "mail.localhost",
  "rebound.test",
  "REBOUND.test.",
  "mixed.test",
  "alias.test",
];

for (const protocol of protocolNames) {
  describe(protocol, () => {
    test("no spelling of a forbidden address and no name of one is dialled", async () => {
      const { connections, port } = site.mailbox[protocol];
      for (const host of FORBIDDEN) {
        for (const more of [{}, { "Auth-Fallback": `127.0.0.1:${port}, rebound.test:${port}` }]) {
          site.answer = () => route(port, { "Auth-Server": host, ...more });
          const wire = await greeted(protocol, site.postern.ports[protocol]);
          assert.match(await attempt(protocol, wire), temporary[protocol], host);
          await untilClosed(wire);
        }
      }
      assert.equal(site.mailbox[protocol].connections, connections);
    });

    test("a name is judged by the address that is dialled, not by one from another question", async () => {
      const { connections, port } = site.mailbox[protocol];
      site.answer = () => route(port, { "Auth-Server": "turning.test" });
      for (let count = 0; count < 6; count++) {
        const wire = await greeted(protocol, site.postern.ports[protocol]);
        // The permitted address has no listener.
        assert.match(await attempt(protocol, wire), temporary[protocol]);
        await untilClosed(wire);
      }
      assert.equal(site.mailbox[protocol].connections, connections);
    });
  });
}

test("the log names the address of each refusal", async () => {
  const refused = await site.postern.proxy.program.logs(/upstream \S+ is refused: /);
  assert.ok(refused.length >= 2 * FORBIDDEN.length);
});
