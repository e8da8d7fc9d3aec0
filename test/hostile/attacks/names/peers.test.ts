// Hostile names of other peers' making: PTR records, SNI and certificate subjects. They reach lookups, XCLIENT and logs in
// a form that is data, or not at all (CVE-2026-28753, by which nginx let a PTR record write headers and commands).
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../../support/peers/attack-site.ts";
import { issue } from "../../../support/certificates/authority.ts";
import { type Lookup, reply, route } from "../../../support/peers/lookup-endpoint.ts";
import { protocolNames } from "../../../support/peers/mail-client.ts";
import type { Listener } from "../../../support/peers/mailbox/index.ts";
import { type NameServer, startNameServer, zone } from "../../../support/peers/name-server.ts";
import { RawClient } from "../../../support/peers/raw-client.ts";
import { type Scratch, makeScratch } from "../../../support/programs/scratch.ts";
import { startUpstream } from "../../../support/peers/upstream.ts";

/** Each resolves back to its client, so that nothing but its characters can be held against it. */
const PTRS = [
  "a.test\r\nAuth-Status: OK",
  "a.test\r\nRCPT TO:<root@b>",
  "a.test\nX: y",
  "a.test\0",
  "a b.test",
  "a.test LOGIN=root",
  "a%0d%0a.test",
  'a"b.test',
  "[UNAVAILABLE]",
  "a_b.test",
  "\x1b[31m.test",
  "bücher.test",
  "a\t.test",
  "192.0.2.66, client: 192.0.2.66",
];

const SNI = [
  "mail.test\r\nAuth-Status: OK",
  "mail.test Auth-Server: 192.0.2.66",
  'mail".test',
  "mail%0d%0a.test",
  "\x1b[2J.test",
  "..",
  "../../etc/passwd",
  "*.test",
  "bücher.test",
  `${"a".repeat(250)}.test`,
];

const SUBJECTS = [
  "/CN=x\r\nAuth-Status: OK\r\nAuth-Server: 192.0.2.66",
  '/O="quoted", CN=root/CN=100% \\\\ %0D%0A',
  `/CN=\x1b[31mred\x07/O=${"o".repeat(60)}/OU=${"u".repeat(60)}/L=${"l".repeat(60)}`,
  "/CN=bücher\u{9b}31m\u202e",
];

let files: Scratch;
let names: NameServer;
let upstream: Listener;
let site: AttackSite<ProtocolName>;
const heard: string[] = [];

before(async () => {
  const records = PTRS.flatMap((data, index) => [
    [`PTR ${index + 10}.0.0.127.in-addr.arpa`, [{ type: "PTR", data }]] as const,
    [`A ${data.toLowerCase()}`, [{ type: "A", data: `127.0.0.${index + 10}` }]] as const,
  ]);
  names = await startNameServer(zone(Object.fromEntries(records)));
  files = await makeScratch();
  await writeFile(join(files.path, "root.crt"), authority.certificate);
  upstream = await startUpstream(async (wire) => {
    wire.write("220 hi\r\n");
    for (;;) {
      heard.push(await wire.line());
      wire.write(
        heard.at(-1)!.startsWith("EHLO") ? "250-mx\r\n250 XCLIENT NAME\r\n" : "250 ok\r\n",
      );
    }
  });
  const tls = `ssl_verify_client optional_no_ca; ssl_client_certificate ${files.path}/root.crt;`;
  site = await startAttackSite<ProtocolName>("", {
    smtp: `listen 127.0.0.1:PORT; protocol smtp; smtp_auth none; resolver ${names.address} ipv6=off;`,
    imap: `listen 127.0.0.1:PORT ssl; protocol imap; ${tls}`,
    pop3: `listen 127.0.0.1:PORT ssl; protocol pop3; ${tls}`,
  });
  site.answer = (lookup) =>
    lookup.header("Auth-Method") === "none"
      ? route(upstream.port)
      : reply(200, { "Auth-Status": "no" });
});
after(async () => {
  await site.stop();
  await names.close();
  await upstream.close();
  await files.remove();
});

const authority = issue("/CN=root", { ca: true });

/** The headers of a lookup in the clear or under TLS may have these names alone. */
const KNOWN =
  /^(?:Host|Auth-(?:Method|User|Pass|Protocol|Login-Attempt|Accept|SMTP-(?:Helo|From|To)|SSL(?:-(?:Protocol|Cipher|Verify|Subject|Issuer|Serial|Fingerprint|Server-Name))?)|Client-(?:IP|Host)|Traceparent)$/;

function assertWellFormed({ lines }: Lookup): void {
  const fields = lines.slice(1).map((line) => line.split(":")[0] ?? "");
  for (const name of fields) assert.match(name, KNOWN);
  assert.equal(new Set(fields).size, fields.length);
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  for (const line of lines) assert.doesNotMatch(line, /[\0-\x1f\x7f]/);
}

test("no PTR record of strange characters is a name: neither lookup nor XCLIENT carries it", async () => {
  for (const [index, data] of PTRS.entries()) {
    heard.length = 0;
    const client = await RawClient.connect(site.postern.ports.smtp, `127.0.0.${index + 10}`);
    await client.send("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n");
    await client.until(/\n250 ok\r\n$/);
    await client.leave();
    const lookup = site.lookups.at(-1)!;
    assertWellFormed(lookup);
    assert.match(lookup.header("Client-Host") ?? "", /^\[(?:TEMPUNAVAIL|UNAVAILABLE)\]$/, data);
    assert.match(
      heard[1] ?? "",
      /^XCLIENT ADDR=127\.0\.0\.\d+ NAME=\[(?:TEMPUNAVAIL|UNAVAILABLE)\]$/,
    );
    assert.equal(heard.length, 5);
  }
  assert.ok(names.queries.filter(({ type }) => type === "PTR").length >= PTRS.length);
});

for (const protocol of protocolNames.filter((each) => each !== "smtp")) {
  describe(protocol, () => {
    const login = protocol === "imap" ? "a LOGIN x y\r\n" : "USER x\r\nPASS y\r\n";

    test("SNI of strange characters is in no lookup, and in the log without harm", async () => {
      for (const servername of SNI) {
        const client = await RawClient.connectTls(site.postern.ports[protocol], { servername });
        await client.send(login);
        await client.closed;
        assertWellFormed(site.lookups.at(-1)!);
        // A name in 8-bit text is told in its IDNA form.
        const told = site.lookups.at(-1)!.header("Auth-SSL-Server-Name") ?? "xn--";
        assert.match(told, /^xn--[a-z0-9.-]*$/, servername);
        await site.session(client);
      }
    });

    test("a certificate's subject is one header, whatever it holds", async () => {
      for (const subject of SUBJECTS) {
        const { certificate: cert, key } = issue(subject);
        const client = await RawClient.connectTls(site.postern.ports[protocol], { cert, key });
        await client.send(login);
        await client.closed;
        assertWellFormed(site.lookups.at(-1)!);
        assert.match(site.lookups.at(-1)!.header("Auth-SSL-Subject") ?? "", /CN=/);
        assert.equal(site.lookups.at(-1)!.header("Auth-SSL-Verify")?.split(":")[0], "FAILED");
        await site.session(client);
      }
    });
  });
}

test("no name has written a control character, or another client's address, into a log", () => {
  const { stdout, stderr } = site.postern.proxy.program;
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  for (const log of [stdout, stderr]) assert.doesNotMatch(log, /[\0-\t\v-\x1f\x7f-\x9f\u202e]/);
  for (const line of stderr.split("\n")) {
    assert.ok(!line.replace(/"[^"]*"/g, "").includes("192.0.2.66"), line);
  }
});
