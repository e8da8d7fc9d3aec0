// The names of SMTP clients, found before they are greeted.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { type LookupEndpoint, reply, startLookupEndpoint } from "../../support/lookup-endpoint.ts";
import { attempt, greeted, untilClosed } from "../../support/mail-client.ts";
import { type NameServer, startNameServer, zone } from "../../support/name-server.ts";
import { type Servers, startServers } from "../../support/servers.ts";
import { Wire } from "../../support/wire.ts";

const records = zone({
  "PTR 1.0.0.127.in-addr.arpa": [{ type: "PTR", data: "Client.example.test" }],
  "A client.example.test": [{ type: "A", data: "127.0.0.1" }],
  "PTR 9.2.0.192.in-addr.arpa": [{ type: "PTR", data: "far.example.test" }],
  "A far.example.test": [{ type: "A", data: "192.0.2.9" }],
  "PTR 2.0.0.127.in-addr.arpa": [{ type: "PTR", data: "nowhere.example.test" }],
  "PTR 7.0.0.127.in-addr.arpa": "silence",
  "PTR 9.0.0.127.in-addr.arpa": "silence",
});

/** Answers about 127.0.0.8 are held back until a test opens it. */
const gate = Promise.withResolvers<void>();

let server: NameServer;
let endpoint: LookupEndpoint;
let postern: Servers<"plain" | "tls" | "behind" | "delayed" | "off" | "imap" | "impatient">;

const smtp = "listen 127.0.0.1:PORT; protocol smtp;";

before(async () => {
  server = await startNameServer(async (query) => {
    if (query.name.startsWith("8.")) await gate.promise;
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

function from(localAddress: string, port: number): Wire {
  return new Wire(connect({ host: "127.0.0.1", port, localAddress }));
}

/** What the lookup of this login says of the client's name. */
async function named(wire: Wire, login: string): Promise<string | undefined> {
  assert.match(await wire.line(), /^220 /);
  await attempt("smtp", wire, { login, password: "x" });
  const lookup = endpoint.lookups.find((each) => each.header("Auth-User") === login);
  return lookup?.header("Client-Host");
}

/** The access log's line of the session with such a text in it. */
async function record(text: string): Promise<Record<string, unknown>> {
  const { program } = postern.proxy;
  await program.says(text);
  const line = program.stdout.split("\n").find((each) => each.includes(text));
  return JSON.parse(line!) as Record<string, unknown>;
}

describe("the name of an SMTP client", () => {
  test("is told to the lookup, and to the access log", async () => {
    const wire = from("127.0.0.1", postern.ports.plain);
    assert.equal(await named(wire, "in-the-clear"), "client.example.test");
    const session = await record('"login":"in-the-clear"');
    assert.equal(session["remote_host"], "client.example.test");
  });

  test("is found under TLS", async () => {
    const { tls: port } = postern.ports;
    const wire = new Wire(connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }));
    assert.equal(await named(wire, "under-tls"), "client.example.test");
  });

  test("is that of the address that a trusted balancer names", async () => {
    const wire = from("127.0.0.1", postern.ports.behind);
    wire.write("PROXY TCP4 192.0.2.9 192.0.2.1 50001 25\r\n");
    assert.equal(await named(wire, "behind"), "far.example.test");
  });

  test("is that of the IPv4 address which is written as IPv6", async () => {
    const wire = from("127.0.0.1", postern.ports.behind);
    wire.write("PROXY TCP6 ::ffff:192.0.2.9 2001:db8::1 50001 25\r\n");
    assert.equal(await named(wire, "mapped"), "far.example.test");
  });

  test("is none where it does not exist, and the log says why", async () => {
    const wire = from("127.0.0.2", postern.ports.plain);
    assert.equal(await named(wire, "nowhere"), "[UNAVAILABLE]");
    await postern.proxy.program.logs(
      /\[error\] \S+ \*\d+ "nowhere\.example\.test" could not be resolved \(3: Host not found\) while in resolving client hostname, client: 127\.0\.0\.2, server: 127\.0\.0\.1:\d+$/,
    );
    const wireless = from("127.0.0.3", postern.ports.plain);
    assert.equal(await named(wireless, "nameless"), "[UNAVAILABLE]");
    await postern.proxy.program.logs(
      /\[error\] \S+ \*\d+ 127\.0\.0\.3 could not be resolved \(3: Host not found\) while in resolving client address, client: 127\.0\.0\.3, /,
    );
  });

  test("is waited for as long as resolver_timeout says, whatever timeout does", async () => {
    const wire = from("127.0.0.9", postern.ports.impatient);
    assert.equal(await named(wire, "slow"), "[TEMPUNAVAIL]");
    await postern.proxy.program.logs(
      /127\.0\.0\.9 could not be resolved \(110: Operation timed out\)/,
    );
    assert.equal((await record('"login":"slow"'))["remote_host"], "[TEMPUNAVAIL]");
  });

  test("is not looked for where the resolver is off", async () => {
    const asked = server.queries.length;
    const wire = from("127.0.0.4", postern.ports.off);
    assert.equal(await named(wire, "off"), "[UNAVAILABLE]");
    assert.equal((await record('"login":"off"'))["remote_host"], null);
    assert.equal(server.queries.length, asked);
  });

  test("is not looked for in another protocol", async () => {
    const asked = server.queries.length;
    (await greeted("imap", postern.ports.imap)).end();
    assert.equal(server.queries.length, asked);
  });

  test("that is known already is not asked for again", async () => {
    const first = from("127.0.0.1", postern.ports.plain);
    assert.equal(await named(first, "first"), "client.example.test");
    const asked = server.queries.length;
    const second = from("127.0.0.1", postern.ports.plain);
    assert.equal(await named(second, "second"), "client.example.test");
    assert.equal(server.queries.length, asked);
  });
});

/** Connects from an address, and waits until its name is asked for. */
async function connecting(address: string, port: number): Promise<Wire> {
  const asked = server.queries.length;
  const wire = from(address, port);
  await server.asked(asked + 1);
  return wire;
}

describe("while its name is looked for, a client", () => {
  test("that leaves ends its session", async () => {
    const wire = await connecting("127.0.0.7", postern.ports.plain);
    wire.end();
    assert.deepEqual(await untilClosed(wire), []);
    const session = await record('"remote_addr":"127.0.0.7"');
    assert.equal(session["end"], "the client closed the connection");
  });

  test("that speaks is heard after the greeting, or sent away where that is delayed", async () => {
    const plain = await connecting("127.0.0.8", postern.ports.plain);
    plain.write("NOOP\r\nQUIT\r\n");
    const delayed = from("127.0.0.8", postern.ports.delayed);
    delayed.write("NOOP\r\n");
    gate.resolve();
    assert.deepEqual(await untilClosed(plain), [
      "220 mx.example.test ESMTP ready",
      "250 2.0.0 OK",
      "221 2.0.0 Bye",
    ]);
    assert.deepEqual(await untilClosed(delayed), [
      "503 5.5.0 Improper use of SMTP command pipelining",
    ]);
  });

  test("that waits when the server shuts down is told so", async (t) => {
    const leaving = await startServers(
      `auth_http ${endpoint.address}; resolver ${server.address};`,
      { plain: smtp },
    );
    t.after(() => leaving.stop());
    const wire = await connecting("127.0.0.9", leaving.ports.plain);
    leaving.proxy.program.signal("SIGQUIT");
    assert.deepEqual(await untilClosed(wire), ["421 4.3.2 server shutting down, please reconnect"]);
    assert.equal(await leaving.proxy.program.ended, 0);
  });
});
