// Spoofed PROXY headers: an address is believed from set_real_ip_from alone, once, and whole. Any other header changes
// neither the client's address in lookups, limits, logs and upstream headers, nor the session's bounds.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../support/peers/attack-site.ts";
import { reply } from "../../support/peers/lookup-endpoint.ts";
import { protocolNames } from "../../support/peers/mail-client.ts";
import { RawClient } from "../../support/peers/raw-client.ts";

const TRUSTED = "127.0.0.2";
const STRANGER = "127.0.0.1";
const SPOOFED = "192.0.2.66";

const V1 = `PROXY TCP4 ${SPOOFED} 192.0.2.1 51234 143\r\n`;

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

/** A header of version 2. @param length of the part behind it; its own by default */
function v2(command: number, family: number, rest: string, length = rest.length): string {
  const size = String.fromCharCode(length >> 8, length & 0xff);
  return `${SIGNATURE}${String.fromCharCode(command, family)}${size}${rest}`;
}

const ADDRESSES = "\xc0\0\x02\x42\xc0\0\x02\x01\xc8\x22\0\x8f";
const V2 = v2(0x21, 0x11, ADDRESSES);

/** An extension of version 2. */
const tlv = (type: number, value: string) =>
  `${String.fromCharCode(type, value.length >> 8, value.length & 0xff)}${value}`;

let site: AttackSite<ProtocolName | `${ProtocolName} direct`>;

before(async () => {
  const trust = `set_real_ip_from ${TRUSTED};`;
  site = await startAttackSite("timeout 500ms; login_timeout 500ms; smtp_greeting_delay 0;", {
    imap: `listen 127.0.0.1:PORT proxy_protocol; protocol imap; ${trust}`,
    pop3: `listen 127.0.0.1:PORT proxy_protocol; protocol pop3; ${trust}`,
    smtp: `listen 127.0.0.1:PORT proxy_protocol; protocol smtp; ${trust}`,
    "imap direct": `listen 127.0.0.1:PORT; protocol imap; ${trust}`,
    "pop3 direct": `listen 127.0.0.1:PORT; protocol pop3; ${trust}`,
    "smtp direct": `listen 127.0.0.1:PORT; protocol smtp; ${trust}`,
  });
  site.answer = () => reply(200, { "Auth-Status": "no" });
});
after(() => site.stop());

function login(protocol: ProtocolName, name: string): string {
  if (protocol === "imap") return `a LOGIN ${name} y\r\n`;
  if (protocol === "pop3") return `USER ${name}\r\nPASS y\r\n`;
  return `AUTH PLAIN ${btoa(`\0${name}\0y`)}\r\n`;
}

/** The address that the lookup of a login behind these bytes names, or null where there was no lookup. */
async function addressOf(
  protocol: ProtocolName,
  from: string,
  bytes: string,
  server: ProtocolName | `${ProtocolName} direct` = protocol,
): Promise<{ readonly address: string | null; readonly text: string }> {
  const name = crypto.randomUUID();
  const client = await RawClient.connect(site.postern.ports[server], from);
  await client.send(bytes + login(protocol, name));
  const text = await client.closed;
  const lookup = site.lookups.find(({ header }) => header("Auth-User") === name);
  return { address: lookup?.header("Client-IP") ?? null, text };
}

/** Headers that name no client, though they hold an address. */
const LOCAL: Readonly<Record<string, string>> = {
  "UNKNOWN with addresses": `PROXY UNKNOWN ${SPOOFED} 192.0.2.1 51234 143\r\n`,
  "LOCAL with addresses": v2(0x20, 0x11, ADDRESSES),
  "a datagram's family": v2(0x21, 0x12, ADDRESSES),
  "a unix socket's family": v2(0x21, 0x31, `${"/tmp/x".padEnd(108, "\0")}${"\0".repeat(108)}`),
  "an unspecified family": v2(0x21, 0, ADDRESSES),
  "an unknown command": v2(0x22, 0x11, ADDRESSES),
};

/** Headers that end the session. */
const BROKEN: Readonly<Record<string, string>> = {
  "too short an address block": v2(0x21, 0x11, ADDRESSES.slice(0, 8)),
  "IPv6 in an IPv4 block's size": v2(0x21, 0x21, ADDRESSES),
  "version 1 in the binary form": v2(0x11, 0x11, ADDRESSES),
  "version 3": v2(0x31, 0x11, ADDRESSES),
  "64 KB of extensions": v2(0x21, 0x11, ADDRESSES + tlv(4, "x".repeat(65_500))),
  "5 KB of extensions": v2(0x21, 0x11, ADDRESSES + tlv(4, "x".repeat(5000))),
  "a line of 5 KB": `PROXY TCP4 ${SPOOFED} ${" ".repeat(5000)}\r\n`,
  "a line without CR": V1.replace("\r", ""),
  "octal addresses": "PROXY TCP4 0300.0.2.102 192.0.2.1 51234 143\r\n",
  "short addresses": "PROXY TCP4 192.66 192.0.2.1 51234 143\r\n",
  "a hexadecimal address": "PROXY TCP4 0xc0000242 192.0.2.1 51234 143\r\n",
  "IPv6 in TCP4": "PROXY TCP4 2001:db8::66 2001:db8::1 51234 143\r\n",
  "IPv4 in TCP6": `PROXY TCP6 ${SPOOFED} 192.0.2.1 51234 143\r\n`,
  "a zone": "PROXY TCP6 fe80::66%eth0 fe80::1 51234 143\r\n",
  "a port of 65536": `PROXY TCP4 ${SPOOFED} 192.0.2.1 65536 143\r\n`,
  "a negative port": `PROXY TCP4 ${SPOOFED} 192.0.2.1 -1 143\r\n`,
  "one field too many": `PROXY TCP4 ${SPOOFED} 192.0.2.1 51234 143 x\r\n`,
  TABs: V1.replaceAll(" ", "\t"),
  "a CR within": `PROXY TCP4 ${SPOOFED}\rx 192.0.2.1 51234 143\r\n`,
  "a NUL within": `PROXY TCP4 ${SPOOFED}\0 192.0.2.1 51234 143\r\n`,
  "small letters": V1.toLowerCase(),
  "a name": "PROXY TCP4 mail.test 192.0.2.1 51234 143\r\n",
};

for (const protocol of protocolNames) {
  describe(protocol, { concurrency: true }, () => {
    test("a header from a trusted balancer names the client, with any extensions that fit", async () => {
      const extensions = tlv(2, "mail.test\r\nAuth-Status: OK") + tlv(4, "x".repeat(3000));
      for (const header of [V1, V2, v2(0x21, 0x11, ADDRESSES + extensions)]) {
        assert.equal((await addressOf(protocol, TRUSTED, header)).address, SPOOFED);
      }
    });

    test("a header from a stranger names no client: the peer keeps its own address", async () => {
      for (const header of [V1, V2, ...Object.values(LOCAL)]) {
        assert.equal((await addressOf(protocol, STRANGER, header)).address, STRANGER);
      }
      const client = await RawClient.connect(site.postern.ports[protocol], STRANGER);
      const name = crypto.randomUUID();
      await client.send(V1 + login(protocol, name));
      await client.closed;
      await site.postern.proxy.program.says(`"login":"${name}"`);
      const sessions = site.postern.sessions().filter(({ login: shown }) => shown === name);
      assert.deepEqual(
        sessions.map(({ remote_addr }) => remote_addr),
        [STRANGER],
      );
    });

    for (const [what, header] of Object.entries(LOCAL)) {
      test(`${what} from a trusted balancer leave the balancer's own address`, async () => {
        assert.equal((await addressOf(protocol, TRUSTED, header)).address, TRUSTED);
      });
    }

    test("a second header is no header, in whichever version", async () => {
      const second = V1.replace(SPOOFED, "192.0.2.99");
      for (const [first, again] of [
        [V1, second],
        [V2, second],
      ] as const) {
        assert.equal((await addressOf(protocol, TRUSTED, first + again)).address, SPOOFED);
      }
      // The binary form holds QUIT, which some protocols take for the command that it is.
      const { address } = await addressOf(protocol, TRUSTED, V1 + V2);
      assert.ok(address === null || address === SPOOFED);
    });

    test("a header where none is expected is no header, and changes no address", async () => {
      for (const from of [TRUSTED, STRANGER]) {
        const { address } = await addressOf(protocol, from, V1, `${protocol} direct`);
        assert.equal(address, from);
      }
    });

    for (const [what, header] of Object.entries(BROKEN)) {
      test(`a header with ${what} ends the session without a greeting, from any peer`, async () => {
        for (const from of [TRUSTED, STRANGER]) {
          assert.deepEqual(await addressOf(protocol, from, header), { address: null, text: "" });
        }
      });
    }

    test("a header that breaks off at any byte ends with the client's time, or with the client", async () => {
      for (const header of [V1, V2]) {
        const cuts = Array.from({ length: header.length - 1 }, (_, at) => header.slice(0, at + 1));
        const texts = await Promise.all(
          cuts.map(async (cut, index) => {
            const client = await RawClient.connect(site.postern.ports[protocol], TRUSTED);
            await client.send(cut);
            if (index % 2 === 0) client.socket.end();
            return client.closed;
          }),
        );
        assert.ok(texts.every((text) => text === ""));
      }
    });

    test("no header, but a login at once, ends the session", async () => {
      assert.deepEqual(await addressOf(protocol, TRUSTED, ""), { address: null, text: "" });
    });
  });
}
