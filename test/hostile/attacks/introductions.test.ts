// Clients that introduce themselves as another: ID, XCLIENT and PROXY of a client are believed in no upstream command, no
// lookup and no log. Only the number of hops may fall, because that ends a loop.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../support/peers/attack-site.ts";
import { route } from "../../support/peers/lookup-endpoint.ts";
import { protocolNames } from "../../support/peers/mail-client.ts";
import type { Listener } from "../../support/peers/mailbox/index.ts";
import { RawClient } from "../../support/peers/raw-client.ts";
import { startUpstream } from "../../support/peers/upstream.ts";
import type { Wire } from "../../support/peers/wire.ts";

let site: AttackSite<ProtocolName>;
const upstreams = {} as Record<ProtocolName, Listener>;

/** Answers each line by a table of its beginnings, in the words of the protocol. */
async function serve(wire: Wire, greeting: string, answers: readonly [RegExp, string][]) {
  wire.write(greeting);
  for (;;) {
    const line = await wire.line();
    const [, answer = ""] = answers.find(([start]) => start.test(line)) ?? [];
    wire.write(answer);
  }
}

before(async () => {
  upstreams.imap = await startUpstream((wire) =>
    serve(wire, "* OK [CAPABILITY IMAP4rev1 LITERAL+ ID] hi\r\n", [
      [/^postern ID/, "* ID NIL\r\npostern OK\r\n"],
      [/^password$/, "a OK in\r\n"],
    ]),
  );
  upstreams.pop3 = await startUpstream((wire) =>
    serve(wire, "+OK [XCLIENT] hi\r\n", [[/./, "+OK\r\n"]]),
  );
  upstreams.smtp = await startUpstream((wire) =>
    serve(wire, "220 hi\r\n", [
      [
        /^EHLO/,
        "250-mx\r\n250-XCLIENT NAME ADDR PORT LOGIN HELO TTL SESSION\r\n250 AUTH PLAIN\r\n",
      ],
      [/^AUTH/, "235 ok\r\n"],
      [/./, "250 ok\r\n"],
    ]),
  );
  site = await startAttackSite("proxy_client_id on;", {
    imap: "listen 127.0.0.1:PORT; protocol imap;",
    pop3: "listen 127.0.0.1:PORT; protocol pop3;",
    smtp: "listen 127.0.0.1:PORT; protocol smtp; proxy_smtp_auth on;",
  });
  site.answer = (lookup) => route(upstreams[lookup.header("Auth-Protocol") as ProtocolName].port);
});
after(async () => {
  await site.stop();
  for (const upstream of Object.values(upstreams)) await upstream.close();
});

const FIELDS = '"x-originating-ip" "192.0.2.66" "x-originating-port" "66" "x-session-id" "spoofed"';
const ATTRIBUTES =
  "ADDR=192.0.2.66 PORT=66 SESSION=spoofed LOGIN=root NAME=mx.spoofed.test HELO=spoofed";

/** Introductions before a login. */
const INTRODUCTIONS: Record<ProtocolName, (hops: string) => string> = {
  imap: (hops) => `i ID (${FIELDS} "x-proxy-ttl" "${hops}")\r\n`,
  pop3: (hops) => `XCLIENT ${ATTRIBUTES} TTL=${hops}\r\n`,
  smtp: (hops) => `EHLO own\r\nXCLIENT ${ATTRIBUTES} TTL=${hops}\r\nEHLO own\r\n`,
};
const LOGIN: Record<ProtocolName, string> = {
  imap: "a LOGIN user password\r\n",
  pop3: "USER user\r\nPASS password\r\n",
  smtp: `AUTH PLAIN ${btoa("\0user\0password")}\r\n`,
};
const GRANTED = { imap: /\na OK in\r\n$/, pop3: /(?:\+OK\r\n){3}$/, smtp: /\n235 .*\r\n$/ };
const FAILED = { imap: /\na NO .*\r\n$/, pop3: /-ERR .*\r\n$/, smtp: /\n4\d\d .*\r\n$/ };

for (const protocol of protocolNames) {
  describe(protocol, () => {
    test("the upstream and the lookup are told the client's own address, session and name", async () => {
      const client = await RawClient.connect(site.postern.ports[protocol]);
      const { lines } = upstreams[protocol];
      const from = lines.length;
      await client.send(INTRODUCTIONS[protocol]("4") + LOGIN[protocol]);
      await client.until(GRANTED[protocol]);
      await client.leave();
      const heard = lines.slice(from).join("\n");
      assert.match(heard, /127\.0\.0\.1/);
      assert.ok(heard.includes(String(client.port)), heard);
      assert.doesNotMatch(heard, /192\.0\.2\.66|spoofed|root/);
      const lookup = site.lookups.at(-1)!;
      assert.equal(lookup.header("Client-IP"), "127.0.0.1");
      assert.doesNotMatch(lookup.lines.join("\n"), /192\.0\.2\.66|spoofed|root/);
      assert.equal((await site.session(client))["remote_addr"], "127.0.0.1");
    });

    test("the number of hops only falls, whatever a client claims", async () => {
      for (const [claim, told] of [
        ["3", 2],
        ["1000000", 4],
        ["-5", 4],
        ["9999", 4],
        ["0x9", 4],
        ["1e3", 4],
      ] as const) {
        const client = await RawClient.connect(site.postern.ports[protocol]);
        const { lines } = upstreams[protocol];
        const from = lines.length;
        await client.send(INTRODUCTIONS[protocol](claim) + LOGIN[protocol]);
        await client.until(GRANTED[protocol]);
        await client.leave();
        const heard = lines.slice(from).join("\n");
        const [, hops = ""] = /(?:TTL=|"x-proxy-ttl" ")(\d+)/.exec(heard) ?? [];
        assert.equal(hops, `${told}`, claim);
      }
    });

    test("a client without a hop left does not log in", async () => {
      for (const claim of ["0", "1"]) {
        const client = await RawClient.connect(site.postern.ports[protocol]);
        const { lines } = upstreams[protocol];
        const told = lines.length;
        await client.send(INTRODUCTIONS[protocol](claim) + LOGIN[protocol]);
        await client.until(FAILED[protocol]);
        await client.closed;
        assert.equal(lines.length, told, "the upstream was told of the login");
      }
    });
  });
}
