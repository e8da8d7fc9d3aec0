import assert from "node:assert/strict";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { after, before, test } from "node:test";
import { type LookupEndpoint, route, startLookupEndpoint } from "../../support/lookup-endpoint.ts";
import type { Listener } from "../../support/mailbox/index.ts";
import { attempt, granted, greeted, untilClosed, upgraded } from "../../support/mail-client.ts";
import { type Servers, startServers } from "../../support/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/upstream.ts";
import { Wire } from "../../support/wire.ts";

const HEADER = "PROXY TCP4 192.0.2.9 192.0.2.1 50001 143\r\n";

let upstream: Listener;
let introduced: Listener;
let binary: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<"trusting" | "doubting" | "tls" | "passing" | "telling">;
/** The version 2 header that the last client of `telling` was introduced with. */
let introduction = Buffer.alloc(0);

before(async () => {
  upstream = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  introduced = await startUpstream(async (wire) => {
    await wire.line();
    await grantImap(wire);
    await silence();
  });
  binary = await startUpstream(async (wire) => {
    const fixed = await wire.bytes(16);
    const length = Buffer.from(fixed, "latin1").readUInt16BE(14);
    introduction = Buffer.from(fixed + (await wire.bytes(length)), "latin1");
    await grantImap(wire);
    await silence();
  });
  const ports: Record<string, () => number> = {
    told: () => introduced.port,
    binary: () => binary.port,
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
  await introduced.close();
  await binary.close();
});

async function loginBehind(port: number, login: string): Promise<Wire> {
  const wire = new Wire(connect(port, "127.0.0.1"));
  wire.write(HEADER);
  assert.match(await wire.line(), /^\* OK/);
  assert.match(await attempt("imap", wire, { login, password: "x" }), granted.imap);
  return wire;
}

function lookupOf(login: string): LookupEndpoint["lookups"][number] {
  return endpoint.lookups.find((lookup) => lookup.header("Auth-User") === login)!;
}

test("a trusted balancer's word on the client's address is believed everywhere", async () => {
  const wire = await loginBehind(postern.ports.trusting, "believed");
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

test("a stranger's word is passed on, and not believed", async () => {
  const wire = await loginBehind(postern.ports.doubting, "doubted");
  assert.equal(lookupOf("doubted").header("Client-IP"), "127.0.0.1");
  assert.equal(lookupOf("doubted").header("Proxy-Protocol-Addr"), "192.0.2.9");
  wire.end();
});

test("the header may come in pieces, with the first command in the last one", async () => {
  const wire = new Wire(connect(postern.ports.trusting, "127.0.0.1"));
  for (const byte of HEADER.slice(0, -1)) wire.write(byte);
  wire.write("\na NOOP\r\n");
  assert.match(await wire.line(), /^\* OK/);
  assert.equal(await wire.line(), "a OK completed");
  wire.end();
});

test("TLS begins behind the header, even in the same packet", async () => {
  const socket = connect(postern.ports.tls, "127.0.0.1");
  socket.write(HEADER);
  const wire = new Wire(connectTls({ socket, rejectUnauthorized: false }));
  assert.match(await wire.line(), /^\* OK/);
  assert.match(await attempt("imap", wire, { login: "secure", password: "x" }), granted.imap);
  assert.equal(lookupOf("secure").header("Auth-SSL"), "on");
  wire.end();
});

test("a client that sends no header is closed without a word", async () => {
  const wire = new Wire(connect(postern.ports.trusting, "127.0.0.1"));
  wire.write("a LOGIN anna x\r\n");
  assert.deepEqual(await untilClosed(wire), []);
  await postern.proxy.program.logs(/broken header: "a LOGIN/);
});

test("the upstream hears who the client is before anything else", async () => {
  const wire = await loginBehind(postern.ports.passing, "told");
  const [first] = introduced.lines;
  assert.equal(first, `PROXY TCP4 192.0.2.9 127.0.0.1 50001 ${postern.ports.passing}`);
  wire.end();
});

test("the canonical form of the balancer's word is what others are told", async () => {
  const wire = new Wire(connect(postern.ports.trusting, "127.0.0.1"));
  wire.write("PROXY TCP6 2001:DB8:0:0::9 2001:0db8::1 50001 143\r\n");
  assert.match(await wire.line(), /^\* OK/);
  assert.match(await attempt("imap", wire, { login: "six", password: "x" }), granted.imap);
  assert.equal(lookupOf("six").header("Client-IP"), "2001:db8::9");
  assert.equal(lookupOf("six").header("Proxy-Protocol-Addr"), "2001:DB8:0:0::9");
  assert.equal(lookupOf("six").header("Proxy-Protocol-Server-Addr"), "2001:0db8::1");
  wire.end();
});

test("version 2 tells the upstream of a client's TLS after STARTTLS, too", async () => {
  const clear = await greeted("imap", postern.ports.telling);
  assert.match(await attempt("imap", clear, { login: "binary", password: "x" }), granted.imap);
  // Addresses and a checksum.
  assert.equal(introduction.length, 16 + 12 + 7);
  clear.end();

  const secure = await upgraded("imap", postern.ports.telling);
  assert.match(await attempt("imap", secure, { login: "binary", password: "x" }), granted.imap);
  const told = introduction.toString("latin1", 28);
  assert.ok(told.startsWith("\x02\0\x09mail.test\x20\0"));
  assert.ok(told.includes("\x01\0\0\0\x01\x21\0\x07TLSv1.3\x23\0"));
  assert.ok(told.includes("\x24\0\x11ecdsa-with-SHA256\x25\0\x05EC256\x03\0\x04"));
  secure.end();
});
