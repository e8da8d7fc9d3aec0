// Clients, lookups and balancers over unix sockets, which have no addresses.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import {
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import type { Listener } from "../../support/peers/mailbox/index.ts";
import { attempt, granted } from "../../support/peers/mail-client.ts";
import { type Scratch, makeScratch } from "../../support/programs/scratch.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/peers/upstream.ts";
import { Wire } from "../../support/peers/wire.ts";

const names = ["plain", "tls", "balanced", "passing", "passing2", "xclient"] as const;
type Name = (typeof names)[number];

let scratch: Scratch;
let imap: Listener;
let headerUpstream: Listener;
let smtp: Listener;
let endpoint: LookupEndpoint;
let postern: Servers<Name>;

before(async () => {
  scratch = await makeScratch();
  imap = await startUpstream(async (wire) => {
    await grantImap(wire);
    await silence();
  });
  headerUpstream = await startUpstream(async (wire) => {
    // A version 1 header ends in a line end; a version 2 header with only a checksum has 23 bytes.
    if ((await wire.bytes(5)) === "PROXY") await wire.line();
    else await wire.bytes(18);
    await grantImap(wire);
    await silence();
  });
  smtp = await startUpstream(async (wire) => {
    wire.write("220 ready\r\n");
    for (;;) {
      const line = await wire.line();
      wire.write(line.startsWith("XCLIENT ") ? "220 ready\r\n" : "250 ok\r\n");
    }
  });
  const upstreams: Partial<Record<string, Listener>> = {
    passing: headerUpstream,
    passing2: headerUpstream,
    xclient: smtp,
  };
  endpoint = await startLookupEndpoint(
    (lookup) => route((upstreams[lookup.header("Auth-User")!] ?? imap).port),
    socketPath("auth"),
  );
  const server = (name: Name, more: string) => `listen unix:${socketPath(name)} ${more}`;
  postern = await startServers(`auth_http ${endpoint.address};`, {
    plain: server("plain", "; protocol imap;"),
    tls: server("tls", "ssl; protocol imap;"),
    balanced: server("balanced", "proxy_protocol; protocol imap; set_real_ip_from unix:;"),
    passing: server("passing", "; protocol imap; proxy_protocol on;"),
    passing2: server("passing2", "; protocol imap; proxy_protocol v2;"),
    xclient: server("xclient", "; protocol smtp;"),
  });
  await postern.proxy.program.logs(/start worker process/);
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  for (const upstream of [imap, headerUpstream, smtp]) await upstream.close();
  await scratch.remove();
});

function socketPath(name: string): string {
  return join(scratch.path, `${name}.sock`);
}

/** Logs in with the server's name as the login, and returns the login's lookup. */
async function logIn(name: Name, wire: Wire): Promise<LookupEndpoint["lookups"][number]> {
  const protocol = name === "xclient" ? "smtp" : "imap";
  await wire.line();
  const answer = await attempt(protocol, wire, { login: name, password: "x" });
  assert.match(answer, granted[protocol]);
  wire.end();
  return endpoint.lookups.find((lookup) => lookup.header("Auth-User") === name)!;
}

/** Waits for the session's line in the access log. */
async function accessLogLine(name: Name): Promise<Readonly<Record<string, unknown>>> {
  await postern.proxy.program.says(`"login":"${name}"`);
  return postern.sessions().find(({ login }) => login === name)!;
}

test("the lookup and the logs name a client of a unix socket unix:", async () => {
  const lookup = await logIn("plain", new Wire(connect(socketPath("plain"))));
  assert.equal(lookup.lines[0], "GET /auth HTTP/1.1");
  assert.equal(lookup.header("Host"), "localhost");
  assert.equal(lookup.header("Client-IP"), "unix:");
  const { remote_addr, server_addr } = await accessLogLine("plain");
  assert.deepEqual([remote_addr, server_addr], ["unix:", `unix:${socketPath("plain")}`]);
  const { stderr } = postern.proxy.program;
  assert.ok(stderr.includes(` client unix: connected to unix:${socketPath("plain")}\n`), stderr);
  assert.ok(
    stderr.includes(
      ` client logged in, client: unix:, server: unix:${socketPath("plain")}, login: "plain", upstream: `,
    ),
    stderr,
  );
});

test("a client logs in with TLS over a unix socket", async () => {
  const socket = connectTls({ path: socketPath("tls"), rejectUnauthorized: false });
  const lookup = await logIn("tls", new Wire(socket));
  assert.equal(lookup.header("Auth-SSL"), "on");
});

test("set_real_ip_from unix: trusts the PROXY header of a balancer at a unix socket", async () => {
  const wire = new Wire(connect(socketPath("balanced")));
  wire.write("PROXY TCP4 192.0.2.9 192.0.2.1 50001 143\r\n");
  const lookup = await logIn("balanced", wire);
  assert.equal(lookup.header("Client-IP"), "192.0.2.9");
  assert.equal((await accessLogLine("balanced"))["remote_addr"], "192.0.2.9");
});

test("PROXY headers and XCLIENT tell upstreams that the client's address is unknown", async () => {
  await logIn("passing", new Wire(connect(socketPath("passing"))));
  await logIn("passing2", new Wire(connect(socketPath("passing2"))));
  await logIn("xclient", new Wire(connect(socketPath("xclient"))));
  assert.deepEqual(headerUpstream.lines.slice(0, 2), ["PROXY", " UNKNOWN"]);
  assert.ok(headerUpstream.lines.join("").includes("\r\n\r\n\0\r\nQUIT\n\x20\0\0\x07\x03\0\x04"));
  assert.ok(
    smtp.lines.includes("XCLIENT ADDR=[UNAVAILABLE] LOGIN=xclient NAME=[UNAVAILABLE]"),
    smtp.lines.join("\n"),
  );
});
