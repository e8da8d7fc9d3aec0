// limit_conn and limit_login_rate: the refusal has the protocol's form, and the log line is nginx's.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import {
  type LookupEndpoint,
  reply,
  route,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import {
  attempt,
  granted,
  greeted,
  greetedSecurely,
  protocolNames,
  untilClosed,
} from "../../support/peers/mail-client.ts";
import { type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { type Servers, inTheClear, startServers } from "../../support/programs/servers.ts";
import { Wire } from "../../support/peers/wire.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";

const password = "x";
let mailbox: Mailbox;
let other: Mailbox;
let endpoint: LookupEndpoint;
/** The port of a server that is away. */
let deadPort: number;

before(async () => {
  [deadPort = 0] = await freePorts(1);
  const users = ["anna", "otto", "alias", "moved"].map((address) => ({ address, password }));
  [mailbox, other] = [
    await startMailbox({ name: "one", users }),
    await startMailbox({ name: "two", users }),
  ];
  endpoint = await startLookupEndpoint((lookup) => {
    const protocol = lookup.header("Auth-Protocol") as ProtocolName;
    const user = lookup.header("Auth-User") ?? "";
    if (user === "nobody") return reply(200, { "Auth-Status": "no", "Auth-Wait": 1 });
    const { port } = mailbox[protocol];
    const dead = `${deadPort}`;
    if (user === "moved") {
      return route(port, { "Auth-Port": dead, "Auth-Fallback": `127.0.0.1:${port}` });
    }
    if (user === "alias") return route(port, { "Auth-User": "anna" });
    const fallback = `127.0.0.1:${other[protocol].port}`;
    return route(port, user === "otto" ? { "Auth-Fallback": fallback } : {});
  });
});
after(async () => {
  await endpoint.close();
  await Promise.all([mailbox.close(), other.close()]);
});

const refusedAtOnce = {
  imap: "* BYE [LIMIT] too many connections, try again later",
  pop3: "-ERR [IN-USE] too many connections, try again later",
  smtp: "421 4.7.0 too many connections, try again later",
};
const refusedAtLogin = {
  ...refusedAtOnce,
  imap: "a NO [LIMIT] too many connections, try again later",
};
const tooManyLogins = {
  imap: "a NO [LIMIT] too many logins, try again later",
  pop3: "-ERR [LOGIN-DELAY] too many logins, try again later",
  smtp: "421 4.7.0 too many logins, try again later",
};

async function startLimited(
  t: { after(work: () => Promise<void>): void },
  limits: string,
): Promise<Servers<ProtocolName>> {
  const postern = await startServers(`auth_http ${endpoint.address}; ${limits}`, inTheClear);
  t.after(() => postern.stop());
  await portProbesGone(postern, protocolNames.length);
  return postern;
}

/** Waits for the end of the connections that probed the ports, because they count against the limits. */
async function portProbesGone({ proxy }: Servers<string>, ports: number): Promise<void> {
  for (let number = 1; number <= ports; number++) {
    await proxy.program.says(`"connection":${number},`);
  }
}

function logIn(protocol: ProtocolName, wire: Wire, login: string): Promise<string> {
  return attempt(protocol, wire, { login, password });
}

/** Connects, sends nothing and reads to the end. */
function linesUntilClosed(port: number): Promise<string[]> {
  return untilClosed(new Wire(connect(port, "127.0.0.1")));
}

/** Connects again until the server greets, because a client sees another connection end before the server counts the end. */
async function connectUntilGreeted(port: number): Promise<Wire> {
  return eventually("the server greets", async () => {
    const wire = new Wire(connect(port, "127.0.0.1"));
    return /^(?:\* OK|\+OK|220) /.test(await wire.line()) && wire;
  });
}

describe("limits", { concurrency: 4 }, () => {
  test("limit_conn by address refuses further connections of a network, in every protocol", async (t) => {
    const postern = await startLimited(
      t,
      "limit_conn_zone $binary_remote_addr zone=addr:1m; limit_conn addr 2;",
    );
    const { ports, proxy } = postern;
    const [first] = [await greeted("imap", ports.imap), await greeted("pop3", ports.pop3)];
    for (const protocol of protocolNames) {
      assert.deepEqual(await linesUntilClosed(ports[protocol]), [refusedAtOnce[protocol]]);
    }
    const line =
      /\[error\] \d+#\d+: \*\d+ limiting connections by zone "addr", client: 127\.0\.0\.1, server: 127\.0\.0\.1:\d+$/;
    await proxy.program.logs(line, 3);
    first.write("a LOGOUT\r\n");
    await untilClosed(first);
    (await connectUntilGreeted(ports.smtp)).end();
  });

  test("a client of a TLS port reads the refusal after the handshake", async (t) => {
    const postern = await startServers(
      `auth_http ${endpoint.address}; limit_conn_zone $remote_addr zone=a:1m; limit_conn a 1;`,
      { imaps: "listen 127.0.0.1:PORT ssl; protocol imap;" },
    );
    t.after(() => postern.stop());
    await portProbesGone(postern, 1);
    const first = await greetedSecurely("imap", postern.ports.imaps);
    await assert.rejects(greetedSecurely("imap", postern.ports.imaps), /BYE \[LIMIT\]/);
    first.end();
  });

  test("clients behind a balancer count by the address of the PROXY header, an IPv6 client by its /64 and, with 4 times the limit, by its /56", async (t) => {
    const postern = await startServers(
      `auth_http ${endpoint.address}; set_real_ip_from 127.0.0.1;
       limit_conn_zone $binary_remote_addr zone=addr:1m; limit_conn addr 1;`,
      { imap: "listen 127.0.0.1:PORT proxy_protocol; protocol imap;" },
    );
    t.after(() => postern.stop());
    const from = async (family: 4 | 6, client: string): Promise<string> => {
      const wire = new Wire(connect(postern.ports.imap, "127.0.0.1"));
      const to = family === 4 ? "192.0.2.99" : "2001:db8::99";
      wire.write(`PROXY TCP${family} ${client} ${to} 1 143\r\n`);
      return wire.line();
    };
    const ok = "* OK IMAP4 ready";
    assert.equal(await from(4, "192.0.2.1"), ok);
    assert.equal(await from(4, "192.0.2.2"), ok);
    assert.equal(await from(4, "192.0.2.1"), refusedAtOnce.imap);
    assert.equal(await from(6, "2001:db8:0:1::1"), ok);
    assert.equal(await from(6, "2001:db8:0:1:ffff::2"), refusedAtOnce.imap);
    for (const subnet of [2, 3, 4]) assert.equal(await from(6, `2001:db8:0:${subnet}::1`), ok);
    assert.equal(await from(6, "2001:db8:0:5::1"), refusedAtOnce.imap);
    assert.equal(await from(6, "2001:db8:0:100::1"), ok);
    await postern.proxy.program.logs(
      /limiting connections by zone "addr" of network 2001:db8::\/56, client: 2001:db8:0:5::1, /,
    );
  });

  test("limit_conn by user refuses further sessions of a user, also under an alias of the user", async (t) => {
    const { ports, proxy } = await startLimited(
      t,
      "limit_conn_zone $remote_user zone=user:1m; limit_conn user 1;",
    );
    const anna = await greeted("imap", ports.imap);
    assert.match(await logIn("imap", anna, "anna"), granted.imap);
    for (const protocol of protocolNames) {
      for (const name of ["anna", "alias"]) {
        const wire = await greeted(protocol, ports[protocol]);
        assert.equal(await logIn(protocol, wire, name), refusedAtLogin[protocol]);
        assert.deepEqual(await untilClosed(wire), []);
      }
    }
    const line =
      /\[error\] .* limiting connections by zone "user", client: 127\.0\.0\.1, server: \S+, login: "anna"$/;
    await proxy.program.logs(line, 6);
    const otto = await greeted("imap", ports.imap);
    assert.match(await logIn("imap", otto, "otto"), granted.imap);
    for (const wire of [anna, otto]) wire.end();
  });

  test("limit_conn by upstream refuses further sessions of a server, unless the lookup names a fallback", async (t) => {
    const { ports, proxy } = await startLimited(
      t,
      "limit_conn_zone $upstream_addr zone=server:1m; limit_conn server 1;",
    );
    const anna = await greeted("imap", ports.imap);
    assert.match(await logIn("imap", anna, "anna"), granted.imap);
    const again = await greeted("imap", ports.imap);
    assert.equal(await logIn("imap", again, "anna"), refusedAtLogin.imap);
    const otto = await greeted("imap", ports.imap);
    assert.match(await logIn("imap", otto, "otto"), granted.imap);
    assert.deepEqual([mailbox.imap.lines.length > 0, other.imap.lines.length > 0], [true, true]);
    await proxy.program.logs(
      /limiting connections by zone "server", client: .*, upstream: \S+$/,
      2,
    );
    for (const wire of [anna, otto]) wire.end();
  });

  test("a server that fails gives back its place, and the next session may try it", async (t) => {
    const { ports, proxy } = await startLimited(
      t,
      "limit_conn_zone $upstream_addr zone=server:1m; limit_conn server 1; max_fails 0;",
    );
    const first = await greeted("imap", ports.imap);
    assert.match(await logIn("imap", first, "moved"), granted.imap);
    const second = await greeted("imap", ports.imap);
    assert.equal(await logIn("imap", second, "moved"), refusedAtLogin.imap);
    const refused = new RegExp(`111: Connection refused.*, upstream: 127\\.0\\.0\\.1:${deadPort}$`);
    assert.equal((await proxy.program.logs(refused, 2)).length, 2);
    const limited = await proxy.program.logs(/limiting connections by zone "server", .*$/);
    assert.equal(limited.length, 1);
    assert.match(limited[0]![0], new RegExp(`upstream: 127\\.0\\.0\\.1:${mailbox.imap.port}$`));
    first.end();
  });

  test("limit_login_rate refuses further logins of a network, without a lookup", async (t) => {
    const { ports, proxy } = await startLimited(t, "limit_login_rate 1r/m burst=2;");
    for (const protocol of protocolNames) {
      const wire = await greeted(protocol, ports[protocol]);
      assert.match(await logIn(protocol, wire, "anna"), granted[protocol]);
      wire.end();
    }
    const { length } = endpoint.lookups;
    for (const protocol of protocolNames) {
      const wire = await greeted(protocol, ports[protocol]);
      assert.equal(await logIn(protocol, wire, "stranger"), tooManyLogins[protocol]);
      assert.deepEqual(await untilClosed(wire), []);
    }
    const asked = endpoint.lookups.slice(length).map((lookup) => lookup.header("Auth-User"));
    assert.ok(!asked.includes("stranger"));
    const line =
      /\[error\] .* limiting logins, excess: \d\.\d{3} by network 127\.0\.0\.1\/32, client: 127\.0\.0\.1, /;
    await proxy.program.logs(line, 3);
  });

  test("all workers share one count across a reload, and a killed worker's sessions leave the count", async (t) => {
    const [port] = await freePorts(1);
    const postern = await startServers(
      `auth_http ${endpoint.address}; limit_conn_zone $remote_addr zone=a:1m; limit_conn a 12;`,
      { imap: `listen 127.0.0.1:${port}; protocol imap;` },
      "worker_processes 3;",
    );
    t.after(() => postern.stop());
    const { program } = postern.proxy;
    const connectMany = (count: number) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const wire = new Wire(connect(port!, "127.0.0.1"));
          const line = await wire.line();
          return { wire, served: line === "* OK IMAP4 ready" };
        }),
      );
    await program.logs(/start worker process/, 3);
    await portProbesGone(postern, 1);
    const clients = await connectMany(40);
    const served = clients.filter((client) => client.served);
    assert.equal(served.length, 12);
    for (const { wire } of served) {
      assert.match(await logIn("imap", wire, "anna"), granted.imap);
    }
    program.signal("SIGHUP");
    await program.logs(/start worker process/, 6);
    await program.logs(/gracefully shutting down/, 3);
    const servedAfterReload = (await connectMany(10)).filter((client) => client.served);
    assert.equal(servedAfterReload.length, 0);
    const started = await program.logs(/start worker process (\d+)/, 6);
    for (const [, pid] of started.slice(0, 3)) process.kill(Number(pid), "SIGKILL");
    await program.logs(/exited on signal 9/, 3);
    const servedAfterKill = (await connectMany(40)).filter((client) => client.served);
    assert.equal(servedAfterKill.length, 12);
    for (const { wire } of servedAfterKill) wire.end();
  });
});
