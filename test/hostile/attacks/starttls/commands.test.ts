// Command injection by STARTTLS: bytes behind the command in the clear must never be commands under TLS (CVE-2011-0411
// and its kind), however the network splits them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../../support/peers/attack-site.ts";
import {
  anna,
  attempt,
  granted,
  protocolNames,
  upgraded,
} from "../../../support/peers/mail-client.ts";
import { RawClient, splits } from "../../../support/peers/raw-client.ts";

const STARTTLS = { imap: "t STARTTLS\r\n", pop3: "STLS\r\n", smtp: "STARTTLS\r\n" };
const GREETED = { imap: /^\* OK .*\r\n/, pop3: /^\+OK.*\r\n/, smtp: /^220 .*\r\n/ };
const GO_AHEAD = { imap: /\nt OK/, pop3: /\n\+OK/, smtp: /\n220 2\.0\.0 Start/ };

/** The attacker's commands; nothing of them may be answered or looked up. */
const INJECTED: Record<ProtocolName, readonly string[]> = {
  imap: ["x NOOP\r\n", `x LOGIN mallory ${"y".repeat(9)}\r\n`, "x AUTHENTICATE PLAIN\r\n", "x"],
  pop3: ["NOOP\r\n", "USER mallory\r\nPASS yyyyyyyyy\r\n", "\r\n", "U"],
  smtp: ["NOOP\r\n", "EHLO mallory\r\nMAIL FROM:<mallory@evil.test>\r\n", "\n", "\0"],
};

let site: AttackSite<ProtocolName>;

before(async () => {
  site = await startAttackSite("starttls on; smtp_auth plain none;", {
    imap: "listen 127.0.0.1:PORT; protocol imap;",
    pop3: "listen 127.0.0.1:PORT; protocol pop3;",
    smtp: "listen 127.0.0.1:PORT; protocol smtp; proxy_smtp_auth on; xclient off;",
  });
});
after(() => site.stop());

async function greeted(protocol: ProtocolName): Promise<RawClient> {
  const client = await RawClient.connect(site.postern.ports[protocol]);
  await client.until(GREETED[protocol]);
  return client;
}

/** The session ends, in the clear, and the log says why. */
async function assertEnded(protocol: ProtocolName, client: RawClient): Promise<void> {
  const text = await client.closed;
  assert.match(text, new RegExp(`${GREETED[protocol].source}$`));
  const { end, login_attempts, ssl_protocol } = await site.session(client);
  assert.equal(end, "the client sent commands behind STARTTLS in the clear");
  assert.deepEqual([login_attempts, ssl_protocol], [0, null]);
}

for (const protocol of protocolNames) {
  describe(protocol, () => {
    for (const injected of INJECTED[protocol]) {
      test(`${JSON.stringify(injected)} behind STARTTLS in its segment ends the session, unanswered`, async () => {
        const client = await greeted(protocol);
        await client.send(STARTTLS[protocol] + injected);
        await assertEnded(protocol, client);
      });
    }

    test("a command behind STARTTLS ends the session wherever the bytes before it are split", async () => {
      const [first = ""] = INJECTED[protocol];
      for (const [head, tail] of splits(STARTTLS[protocol])) {
        const client = await greeted(protocol);
        await client.send(head, tail + first);
        await assertEnded(protocol, client);
      }
    });

    test("a command in the segment after STARTTLS is taken for a broken handshake, not for a command", async () => {
      const client = await greeted(protocol);
      await client.send(STARTTLS[protocol]);
      await client.until(GO_AHEAD[protocol]);
      for (const injected of INJECTED[protocol]) client.socket.write(injected, "latin1");
      const text = await client.closed;
      assert.doesNotMatch(text, /x (?:OK|NO|BAD)|-ERR|[45]\d\d |mallory/);
      const { end, login_attempts } = await site.session(client);
      assert.equal(end, "the TLS handshake failed");
      assert.equal(login_attempts, 0);
    });

    test("a handshake in the very segment of STARTTLS ends the session, too", async () => {
      const client = await greeted(protocol);
      await client.send(`${STARTTLS[protocol]}\x16\x03\x01\x02\0\x01`);
      await assertEnded(protocol, client);
    });

    test("commands before STARTTLS in one segment are answered, and the session goes on under TLS", async () => {
      const noop = protocol === "imap" ? "n NOOP\r\n" : "NOOP\r\n";
      const client = await greeted(protocol);
      await client.send(noop + STARTTLS[protocol]);
      await client.until(GO_AHEAD[protocol]);
      const secured = await client.startTls();
      await secured.send(noop);
      await secured.until(/OK.*\r\n$/);
      await secured.leave();
      assert.match(String((await site.session(client))["ssl_protocol"]), /^TLSv1/);
    });

    test("a second STARTTLS under TLS is refused, and what follows it is a command under TLS", async () => {
      const wire = await upgraded(protocol, site.postern.ports[protocol]);
      wire.write(STARTTLS[protocol]);
      assert.match(await wire.line(), /BAD|-ERR|^5\d\d /);
      assert.match(await attempt(protocol, wire), granted[protocol]);
      wire.end();
    });
  });
}

test("no lookup was made for an injected login, and no injected byte reached a mail server", () => {
  const names = site.lookups.map((lookup) => lookup.header("Auth-User"));
  assert.deepEqual([...new Set(names)], [anna.login]);
  const { imap, pop3, smtp } = site.mailbox;
  const lines = [imap, pop3, smtp].flatMap((listener) => listener.lines);
  assert.ok(lines.length > 0);
  assert.ok(lines.every((line) => !line.includes("mallory")));
});
