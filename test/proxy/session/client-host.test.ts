// The host names of SMTP clients, which the proxy resolves before the greeting.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import {
  type LookupEndpoint,
  reply,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { attempt, greeted, untilClosed } from "../../support/peers/mail-client.ts";
import { type NameServer, startNameServer, zone } from "../../support/peers/name-server.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { Wire } from "../../support/peers/wire.ts";

const records = zone({
  "PTR 1.0.0.127.in-addr.arpa": [{ type: "PTR", data: "Client.example.test" }],
  "A client.example.test": [{ type: "A", data: "127.0.0.1" }],
  "PTR 9.2.0.192.in-addr.arpa": [{ type: "PTR", data: "far.example.test" }],
  "A far.example.test": [{ type: "A", data: "192.0.2.9" }],
  "PTR 2.0.0.127.in-addr.arpa": [{ type: "PTR", data: "nowhere.example.test" }],
  "PTR 7.0.0.127.in-addr.arpa": "silence",
  "PTR 9.0.0.127.in-addr.arpa": "silence",
});

/** The name server answers for 127.0.0.8 after a test resolves this promise. */
const released = Promise.withResolvers<void>();

let server: NameServer;
let endpoint: LookupEndpoint;
let postern: Servers<"plain" | "tls" | "behind" | "delayed" | "off" | "imap" | "impatient">;

const smtp = "listen 127.0.0.1:PORT; protocol smtp;";

before(async () => {
  server = await startNameServer(async (query) => {
    if (query.name.startsWith("8.")) await released.promise;
    return records(query);
  });
  endpoint = await startLookupEndpoint(() => reply(200, { "Auth-Status": "no" }));
  postern = await startServers(
    `auth_http ${endpoint.address}; resolver ${server.address} ipv6=off;`,
    {
      plain: smtp,
      tls: "listen 127.0.0.1:PORT ssl; protocol smtp;",
      behind: "listen 127.0.0.1:PORT proxy_protocol; protocol smtp; set_real_ip_from 127.0.0.1;",
      delayed: `${smtp} smtp_greeting_delay 1m;`,
      off: `${smtp} resolver off;`,
      imap: "listen 127.0.0.1:PORT; protocol imap;",
      impatient: `${smtp} timeout 200ms; resolver_timeout 1s;`,
    },
  );
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await server.close();
});

function connectFrom(localAddress: string, port: number): Wire {
  return new Wire(connect({ host: "127.0.0.1", port, localAddress }));
}

/** Logs in and returns the Client-Host header of the login's lookup. */
async function clientHost(wire: Wire, login: string): Promise<string | undefined> {
  assert.match(await wire.line(), /^220 /);
  await attempt("smtp", wire, { login, password: "x" });
  const lookup = endpoint.lookups.find((each) => each.header("Auth-User") === login);
  return lookup?.header("Client-Host");
}

/** Waits for the access log's line that contains the text. */
async function accessLogLine(text: string): Promise<Record<string, unknown>> {
  const { program } = postern.proxy;
  await program.says(text);
  const line = program.stdout.split("\n").find((each) => each.includes(text));
  return JSON.parse(line!) as Record<string, unknown>;
}

describe("the host name of an SMTP client", () => {
  test("the lookup and the access log get the client's host name", async () => {
    const wire = connectFrom("127.0.0.1", postern.ports.plain);
    assert.equal(await clientHost(wire, "in-the-clear"), "client.example.test");
    const session = await accessLogLine('"login":"in-the-clear"');
    assert.equal(session["remote_host"], "client.example.test");
  });

  test("the host name is resolved under TLS", async () => {
    const { tls: port } = postern.ports;
    const wire = new Wire(connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }));
    assert.equal(await clientHost(wire, "under-tls"), "client.example.test");
  });

  test("the host name belongs to the address from a trusted balancer", async () => {
    const wire = connectFrom("127.0.0.1", postern.ports.behind);
    wire.write("PROXY TCP4 192.0.2.9 192.0.2.1 50001 25\r\n");
    assert.equal(await clientHost(wire, "behind"), "far.example.test");
  });

  test("an IPv4-mapped IPv6 address has the host name of its IPv4 address", async () => {
    const wire = connectFrom("127.0.0.1", postern.ports.behind);
    wire.write("PROXY TCP6 ::ffff:192.0.2.9 2001:db8::1 50001 25\r\n");
    assert.equal(await clientHost(wire, "mapped"), "far.example.test");
  });

  test("a client without a valid host name is [UNAVAILABLE], and the log gives the reason", async () => {
    const wire = connectFrom("127.0.0.2", postern.ports.plain);
    assert.equal(await clientHost(wire, "nowhere"), "[UNAVAILABLE]");
    await postern.proxy.program.logs(
      /\[error\] \S+ \*\d+ "nowhere\.example\.test" could not be resolved \(3: Host not found\) while in resolving client hostname, client: 127\.0\.0\.2, server: 127\.0\.0\.1:\d+$/,
    );
    const nameless = connectFrom("127.0.0.3", postern.ports.plain);
    assert.equal(await clientHost(nameless, "nameless"), "[UNAVAILABLE]");
    await postern.proxy.program.logs(
      /\[error\] \S+ \*\d+ 127\.0\.0\.3 could not be resolved \(3: Host not found\) while in resolving client address, client: 127\.0\.0\.3, /,
    );
  });

  test("resolver_timeout limits the resolution of the host name, and timeout does not", async () => {
    const wire = connectFrom("127.0.0.9", postern.ports.impatient);
    assert.equal(await clientHost(wire, "slow"), "[TEMPUNAVAIL]");
    await postern.proxy.program.logs(
      /127\.0\.0\.9 could not be resolved \(110: Operation timed out\)/,
    );
    assert.equal((await accessLogLine('"login":"slow"'))["remote_host"], "[TEMPUNAVAIL]");
  });

  test("resolver off sends no query for the host name", async () => {
    const asked = server.queries.length;
    const wire = connectFrom("127.0.0.4", postern.ports.off);
    assert.equal(await clientHost(wire, "off"), "[UNAVAILABLE]");
    assert.equal((await accessLogLine('"login":"off"'))["remote_host"], null);
    assert.equal(server.queries.length, asked);
  });

  test("an IMAP server sends no query for the host name", async () => {
    const asked = server.queries.length;
    (await greeted("imap", postern.ports.imap)).end();
    assert.equal(server.queries.length, asked);
  });

  test("a cached host name is not queried again", async () => {
    const first = connectFrom("127.0.0.1", postern.ports.plain);
    assert.equal(await clientHost(first, "first"), "client.example.test");
    const asked = server.queries.length;
    const second = connectFrom("127.0.0.1", postern.ports.plain);
    assert.equal(await clientHost(second, "second"), "client.example.test");
    assert.equal(server.queries.length, asked);
  });
});

/** Connects from an address, and waits until the proxy has queried the address's name. */
async function connectAndQuery(address: string, port: number): Promise<Wire> {
  const asked = server.queries.length;
  const wire = connectFrom(address, port);
  await server.asked(asked + 1);
  return wire;
}

describe("a client whose host name is being resolved", () => {
  test("a client that leaves during the resolution ends its session", async () => {
    const wire = await connectAndQuery("127.0.0.7", postern.ports.plain);
    wire.end();
    assert.deepEqual(await untilClosed(wire), []);
    const session = await accessLogLine('"remote_addr":"127.0.0.7"');
    assert.equal(session["end"], "the client closed the connection");
  });

  test("commands during the resolution are answered after the greeting, or refused under smtp_greeting_delay", async () => {
    const plain = await connectAndQuery("127.0.0.8", postern.ports.plain);
    plain.write("NOOP\r\nQUIT\r\n");
    const delayed = connectFrom("127.0.0.8", postern.ports.delayed);
    delayed.write("NOOP\r\n");
    released.resolve();
    assert.deepEqual(await untilClosed(plain), [
      "220 mx.example.test ESMTP ready",
      "250 2.0.0 OK",
      "221 2.0.0 Bye",
    ]);
    assert.deepEqual(await untilClosed(delayed), [
      "503 5.5.0 Improper use of SMTP command pipelining",
    ]);
  });

  test("a client that waits for the resolution is told of a shutdown", async (t) => {
    const leaving = await startServers(
      `auth_http ${endpoint.address}; resolver ${server.address};`,
      { plain: smtp },
    );
    t.after(() => leaving.stop());
    const wire = await connectAndQuery("127.0.0.9", leaving.ports.plain);
    leaving.proxy.program.signal("SIGQUIT");
    assert.deepEqual(await untilClosed(wire), ["421 4.3.2 server shutting down, please reconnect"]);
    assert.equal(await leaving.proxy.program.ended, 0);
  });
});
