import assert from "node:assert/strict";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { after, before, test } from "node:test";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import type { Listener } from "../../support/peers/mailbox/index.ts";
import {
  attempt,
  granted,
  greeted,
  untilClosed,
  upgraded,
} from "../../support/peers/mail-client.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/peers/upstream.ts";
import { Wire } from "../../support/peers/wire.ts";

const HEADER = "PROXY TCP4 192.0.2.9 192.0.2.1 50001 143\r\n";

let upstream: Listener;
let headerUpstream: Listener;
let binaryUpstream: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<"trusting" | "doubting" | "tls" | "passing" | "telling">;
/** The version 2 header of the last session through `telling`. */
let lastHeader = Buffer.alloc(0);

before(async () => {
  upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  headerUpstream = await startUpstream(async (wire) => {
    await wire.line();
    await grantImap(wire);
    await silence();
  });
  binaryUpstream = await startUpstream(async (wire) => {
    const fixed = await wire.bytes(16);
    const length = Buffer.from(fixed, "latin1").readUInt16BE(14);
    lastHeader = Buffer.from(fixed + (await wire.bytes(length)), "latin1");
    await grantImap(wire);
    await silence();
  });
  const ports: Record<string, () => number> = {
    told: () => headerUpstream.port,
    binary: () => binaryUpstream.port,
  };
  endpoint = await startLookupEndpoint((lookup) =>
    route(ports[lookup.header("Auth-User") ?? ""]?.() ?? upstream.port),
  );
  const listen = "listen 127.0.0.1:PORT proxy_protocol; protocol imap;";
  postern = await startServers(`auth_http ${endpoint.address}; auth_http_keepalive off;`, {
    trusting: `${listen} set_real_ip_from 10.0.0.0/8; set_real_ip_from 127.0.0.0/8;`,
    doubting: `${listen} set_real_ip_from 10.0.0.0/8;`,
    tls: "listen 127.0.0.1:PORT ssl proxy_protocol; protocol imap; set_real_ip_from 127.0.0.1;",
    passing: `${listen} set_real_ip_from 127.0.0.1; proxy_protocol on;`,
    telling: "listen 127.0.0.1:PORT; protocol imap; starttls on; proxy_protocol v2;",
  });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await upstream.close();
  await headerUpstream.close();
  await binaryUpstream.close();
});

async function logInWithHeader(port: number, login: string): Promise<Wire> {
  const wire = new Wire(connect(port, "127.0.0.1"));
  wire.write(HEADER);
  assert.match(await wire.line(), /^\* OK/);
  assert.match(await attempt("imap", wire, { login, password: "x" }), granted.imap);
  return wire;
}

function lookupOf(login: string): LookupEndpoint["lookups"][number] {
  return endpoint.lookups.find((lookup) => lookup.header("Auth-User") === login)!;
}

test("the lookup and the access log use the client's address from a trusted balancer", async () => {
  const wire = await logInWithHeader(postern.ports.trusting, "believed");
  const lookup = lookupOf("believed");
  assert.equal(lookup.header("Client-IP"), "192.0.2.9");
  assert.equal(lookup.header("Proxy-Protocol-Addr"), "192.0.2.9");
  assert.equal(lookup.header("Proxy-Protocol-Port"), "50001");
  assert.equal(lookup.header("Proxy-Protocol-Server-Addr"), "192.0.2.1");
  assert.equal(lookup.header("Proxy-Protocol-Server-Port"), "143");
  wire.end();
  await postern.proxy.program.says('"login":"believed"');
  const session = postern.sessions().find(({ login }) => login === "believed");
  assert.equal(session?.["remote_addr"], "192.0.2.9");
  assert.equal(session?.["remote_port"], 50001);
});

test("the lookup gets an untrusted sender's header, and keeps the connection's own address as Client-IP", async () => {
  const wire = await logInWithHeader(postern.ports.doubting, "doubted");
  assert.equal(lookupOf("doubted").header("Client-IP"), "127.0.0.1");
  assert.equal(lookupOf("doubted").header("Proxy-Protocol-Addr"), "192.0.2.9");
  wire.end();
});

test("the addresses of a LOCAL header of version 2 are not believed, even from a trusted balancer", async () => {
  const header = Buffer.from("0d0a0d0a000d0a515549540a2011000cc0000209c0000201c351008f", "hex");
  const wire = new Wire(connect(postern.ports.trusting, "127.0.0.1"));
  wire.write(header.toString("latin1"));
  assert.match(await wire.line(), /^\* OK/);
  const login = "local-header";
  assert.match(await attempt("imap", wire, { login, password: "x" }), granted.imap);
  const lookup = lookupOf(login);
  assert.equal(lookup.header("Client-IP"), "127.0.0.1");
  assert.equal(lookup.header("Proxy-Protocol-Addr"), undefined);
  wire.end();
});

test("a header that arrives in pieces is accepted, with the first command in its last piece", async () => {
  const wire = new Wire(connect(postern.ports.trusting, "127.0.0.1"));
  for (const byte of HEADER.slice(0, -1)) wire.write(byte);
  wire.write("\na NOOP\r\n");
  assert.match(await wire.line(), /^\* OK/);
  assert.equal(await wire.line(), "a OK completed");
  wire.end();
});

test("the TLS handshake follows the header, also without a pause", async () => {
  const socket = connect(postern.ports.tls, "127.0.0.1");
  socket.write(HEADER);
  const wire = new Wire(connectTls({ socket, rejectUnauthorized: false }));
  assert.match(await wire.line(), /^\* OK/);
  assert.match(await attempt("imap", wire, { login: "secure", password: "x" }), granted.imap);
  assert.equal(lookupOf("secure").header("Auth-SSL"), "on");
  wire.end();
});

test("a client that sends no header is closed without a reply, and the log shows none of its password", async () => {
  const wire = new Wire(connect(postern.ports.trusting, "127.0.0.1"));
  wire.write("early LOGIN anna in-the-first-line\r\n");
  assert.deepEqual(await untilClosed(wire), []);
  const [[line] = []] = await postern.proxy.program.logs(/.*broken header: "early.*/);
  assert.doesNotMatch(line!, /in-the-first-line/);
});

test("the PROXY header is the first line that the upstream receives", async () => {
  const wire = await logInWithHeader(postern.ports.passing, "told");
  const [first] = headerUpstream.lines;
  assert.equal(first, `PROXY TCP4 192.0.2.9 127.0.0.1 50001 ${postern.ports.passing}`);
  wire.end();
});

test("Client-IP has the canonical form of the balancer's address, and Proxy-Protocol-Addr the form as sent", async () => {
  const wire = new Wire(connect(postern.ports.trusting, "127.0.0.1"));
  wire.write("PROXY TCP6 2001:DB8:0:0::9 2001:0db8::1 50001 143\r\n");
  assert.match(await wire.line(), /^\* OK/);
  assert.match(await attempt("imap", wire, { login: "six", password: "x" }), granted.imap);
  assert.equal(lookupOf("six").header("Client-IP"), "2001:db8::9");
  assert.equal(lookupOf("six").header("Proxy-Protocol-Addr"), "2001:DB8:0:0::9");
  assert.equal(lookupOf("six").header("Proxy-Protocol-Server-Addr"), "2001:0db8::1");
  wire.end();
});

test("a version 2 header describes a client's TLS after STARTTLS", async () => {
  const clear = await greeted("imap", postern.ports.telling);
  assert.match(await attempt("imap", clear, { login: "binary", password: "x" }), granted.imap);
  // The header without TLS has addresses and a checksum.
  assert.equal(lastHeader.length, 16 + 12 + 7);
  clear.end();

  const secure = await upgraded("imap", postern.ports.telling);
  assert.match(await attempt("imap", secure, { login: "binary", password: "x" }), granted.imap);
  const tlvs = lastHeader.toString("latin1", 28);
  assert.ok(tlvs.startsWith("\x02\0\x09mail.test\x20\0"));
  assert.ok(tlvs.includes("\x01\0\0\0\x01\x21\0\x07TLSv1.3\x23\0"));
  assert.ok(tlvs.includes("\x24\0\x11ecdsa-with-SHA256\x25\0\x05EC256\x03\0\x04"));
  secure.end();
});
