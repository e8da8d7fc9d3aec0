// Passwords in the clear where TLS is a must, and downgrades: an attacker on the way strips TLS from either side, or the
// lookup's reply is made to ask for less. No password is taken, looked up or sent on in the clear.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../../support/peers/attack-site.ts";
import { route } from "../../../support/peers/lookup-endpoint.ts";
import {
  anna,
  attempt,
  granted,
  greeted,
  protocolNames,
} from "../../../support/peers/mail-client.ts";
import { temporary, untilClosed, upgraded } from "../../../support/peers/mail-client.ts";
import { RawClient } from "../../../support/peers/raw-client.ts";

let site: AttackSite<ProtocolName | `${ProtocolName} tls` | `${ProtocolName} starttls`>;

before(async () => {
  const auth = `imap_auth plain login cram-md5 external xoauth2 oauthbearer;
    pop3_auth plain apop cram-md5 external xoauth2 oauthbearer;
    smtp_auth plain login cram-md5 external xoauth2 oauthbearer none;`;
  const server = (protocol: ProtocolName, more: string) =>
    `listen 127.0.0.1:PORT; protocol ${protocol}; proxy_smtp_auth on; xclient off; ${more}`;
  const each = (more: string) =>
    Object.fromEntries(protocolNames.map((protocol) => [protocol, server(protocol, more)]));
  const renamed = (suffix: string, more: string) =>
    Object.fromEntries(
      Object.entries(each(more)).map(([name, text]) => [`${name} ${suffix}`, text]),
    );
  site = await startAttackSite(auth, {
    ...each("starttls only;"),
    ...renamed("tls", "proxy_ssl on;"),
    ...renamed("starttls", "proxy_ssl starttls;"),
  } as Record<ProtocolName | `${ProtocolName} tls` | `${ProtocolName} starttls`, string>);
});
after(() => site.stop());

const plain = btoa(`\0${anna.login}\0${anna.password}`);
const token = btoa(`user=${anna.login}\x01auth=Bearer abcdefgh\x01\x01`);

/** Every way to begin a login. */
const LOGINS: Record<ProtocolName, readonly string[]> = {
  imap: [
    `a LOGIN ${anna.login} ${anna.password}`,
    `a login "${anna.login}" {${anna.password.length}+}\r\n${anna.password}`,
    `a AUTHENTICATE PLAIN ${plain}`,
    "a AUTHENTICATE LOGIN",
    "a AUTHENTICATE CRAM-MD5",
    `a AUTHENTICATE EXTERNAL ${btoa(anna.login)}`,
    `a AUTHENTICATE XOAUTH2 ${token}`,
    `a AUTHENTICATE OAUTHBEARER ${token}`,
  ],
  pop3: [
    `USER ${anna.login}`,
    `PASS ${anna.password}`,
    `APOP ${anna.login} 0123456789abcdef0123456789abcdef`,
    `AUTH PLAIN ${plain}`,
    "AUTH LOGIN",
    "AUTH CRAM-MD5",
    "AUTH EXTERNAL",
    `AUTH XOAUTH2 ${token}`,
  ],
  smtp: [
    `AUTH PLAIN ${plain}`,
    "AUTH LOGIN",
    "AUTH CRAM-MD5",
    "AUTH EXTERNAL",
    `AUTH XOAUTH2 ${token}`,
    "MAIL FROM:<a@b>",
    "RCPT TO:<c@d>",
  ],
};

const CAPABILITIES = { imap: "a CAPABILITY", pop3: "CAPA", smtp: "EHLO x" };
const LISTED = { imap: /a OK/, pop3: /\r\n\.\r\n/, smtp: /\n250 .*\r\n/ };

for (const protocol of protocolNames) {
  describe(`${protocol} with starttls only`, () => {
    test("no login is offered, begun or looked up in the clear, in whichever form", async () => {
      const asked = site.lookups.length;
      const client = await RawClient.connect(site.postern.ports[protocol]);
      await client.send(`${CAPABILITIES[protocol]}\r\n`);
      const listed = await client.until(LISTED[protocol]);
      assert.match(listed, /STARTTLS|STLS/);
      assert.doesNotMatch(listed, /AUTH=|SASL|AUTH |\bUSER\b/);
      await client.leave();
      for (const line of LOGINS[protocol]) {
        const one = await RawClient.connect(site.postern.ports[protocol]);
        one.socket.end(`${line}\r\n`);
        const lines = (await one.closed).split("\r\n").slice(1, -1);
        assert.ok(lines.length > 0, line);
        for (const answer of lines) assert.match(answer, /^(?:a BAD|-ERR|5\d\d) /, line);
        assert.equal((await site.session(one))["login_attempts"], 0);
      }
      assert.equal(site.lookups.length, asked);
    });

    test("a login under TLS is taken", async () => {
      const wire = await upgraded(protocol, site.postern.ports[protocol]);
      assert.match(await attempt(protocol, wire), granted[protocol]);
      wire.end();
    });
  });

  describe(`${protocol} at an upstream whose TLS is stripped`, () => {
    for (const mode of ["tls", "starttls"] as const) {
      for (const asked of [null, "off"] as const) {
        const what = asked === null ? "" : ", and the lookup asks for that,";
        test(`an upstream in the clear${what} gets no login with proxy_ssl ${mode}`, async (t) => {
          const upstream = site.mailbox[protocol];
          const then = { lines: upstream.lines.length, connections: upstream.connections };
          const { answer } = site;
          t.after(() => (site.answer = answer));
          site.answer = () =>
            route(upstream.port, asked === null ? {} : { "Auth-Upstream-TLS": asked });
          const wire = await greeted(protocol, site.postern.ports[`${protocol} ${mode}`]);
          assert.match(await attempt(protocol, wire), temporary[protocol]);
          await untilClosed(wire);
          const heard = upstream.lines.slice(then.lines).join("\n");
          for (const told of [anna.login, anna.password, plain]) assert.ok(!heard.includes(told));
          assert.ok(upstream.connections - then.connections <= (asked === null ? 1 : 0));
        });
      }
    }
  });
}
