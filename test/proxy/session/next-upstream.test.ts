// proxy_next_upstream: a login whose server fails goes to the next server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type LookupEndpoint,
  reply,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import { Listener } from "../../support/peers/mailbox/listener.ts";
import { anna, attempt, greeted, temporary, untilClosed } from "../../support/peers/mail-client.ts";
import { type NameServer, startNameServer, zone } from "../../support/peers/name-server.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { grantImap, silence } from "../../support/peers/upstream.ts";
import { Wire, run } from "../../support/peers/wire.ts";

const IMAP = "listen 127.0.0.1:PORT; protocol imap; resolver NAMES ipv6=off;";

/** The servers by loopback address, all at one port; null stands for a closed port. */
const SERVERS: Record<string, ((wire: Wire) => Promise<void>) | null> = {
  "127.0.0.2": null,
  "127.0.0.3": async (wire) => {
    await grantImap(wire);
    await silence();
  },
  "127.0.0.4": async (wire) => wire.write("* BYE not today\r\n"),
  "127.0.0.5": silence,
  "127.0.0.6": async (wire) => {
    wire.write("* OK [CAPABILITY LITERAL+] ready\r\n");
    for (let line = 0; line < 3; line++) await wire.line();
  },
  "127.0.0.8": async (wire) => wire.write("* BYE not today\r\n"),
  "127.0.0.7": async (wire) => {
    wire.write("* OK [CAPABILITY LITERAL+] ready\r\n");
    const [tag] = (await wire.line()).split(" ");
    wire.write(`${tag} NO [AUTHENTICATIONFAILED] not you\r\n`);
    await silence();
  },
};

const upstreams = new Map<string, Listener>();
let port: number;
let names: NameServer;
let endpoint: LookupEndpoint;
let postern: Servers<"patient" | "one" | "two" | "hasty" | "strict">;

before(async () => {
  [port = 0] = await freePorts(1);
  for (const [host, script] of Object.entries(SERVERS)) {
    if (script === null) continue;
    const listener = new Listener(host);
    listener.on("connection", (socket) => {
      const wire = new Wire(socket, listener.lines);
      run(wire, () => script(wire));
    });
    await listener.listen(port);
    upstreams.set(host, listener);
  }
  names = await startNameServer(
    zone({
      "A both.test": [
        { type: "A", data: "127.0.0.2" },
        { type: "A", data: "127.0.0.3" },
      ],
      "A leaving.test": [
        { type: "A", data: "127.0.0.4" },
        { type: "A", data: "127.0.0.3" },
      ],
    }),
  );
  endpoint = await startLookupEndpoint((lookup) => {
    // The login lists the servers: a digit is the last byte of 127.0.0.x, any other word is a host name.
    const [server = "", ...others] = (lookup.header("Auth-User") ?? "")
      .split(",")
      .map((word) => (/^\d$/.test(word) ? `127.0.0.${word}` : word));
    return reply(200, {
      "Auth-Status": "OK",
      "Auth-Server": server,
      "Auth-Port": port,
      "Auth-Fallback": others.map((other) => `${other}:${port}`).join(", "),
    });
  });
  const imap = IMAP.replace("NAMES", names.address);
  postern = await startServers(`auth_http ${endpoint.address}; max_fails 0; timeout 1s;`, {
    patient: imap,
    one: `${imap} proxy_next_upstream off;`,
    two: `${imap} proxy_next_upstream_tries 2;`,
    hasty: `${imap} proxy_next_upstream_timeout 500ms;`,
    strict: `${imap} max_fails 1; fail_timeout 1h;`,
  });
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await names.close();
  for (const upstream of upstreams.values()) await upstream.close();
});

async function logIn(servers: string, proxy: keyof (typeof postern)["ports"] = "patient") {
  const wire = await greeted("imap", postern.ports[proxy]);
  const answer = await attempt("imap", wire, { ...anna, login: servers });
  return { wire, answer };
}

async function succeeds(servers: string, proxy?: keyof (typeof postern)["ports"]): Promise<void> {
  const { wire, answer } = await logIn(servers, proxy);
  assert.equal(answer, "a OK logged in");
  wire.end();
}

async function fails(servers: string, proxy?: keyof (typeof postern)["ports"]): Promise<void> {
  const { wire, answer } = await logIn(servers, proxy);
  assert.match(answer, temporary.imap);
  assert.deepEqual(await untilClosed(wire), []);
}

describe("the next server gets the login", { concurrency: true }, () => {
  const CASES: Record<string, string> = {
    "a server refuses connections": "2,3",
    "a server greets with BYE": "4,3",
    "a server sends nothing": "5,3",
    "a server closes after the password": "6,3",
    "several servers fail": "2,4,6,3",
    "a server's name does not exist": "nobody.test,3",
    "one address of a name refuses connections": "both.test",
    "one address of a name greets with BYE": "leaving.test",
  };
  for (const [failure, servers] of Object.entries(CASES)) {
    test(`a login succeeds at the next server when ${failure}`, () => succeeds(servers));
  }
  test("proxy_next_upstream off still skips a server whose name does not exist, because no try was made", () =>
    succeeds("nobody.test,3", "one"));
});

describe("a login fails temporarily", { concurrency: true }, () => {
  test("a login fails temporarily when all servers fail", () => fails("2,4,6"));
  test("a login fails temporarily when the only server's name does not exist", () =>
    fails("nobody.test"));
  test("proxy_next_upstream off fails the login when the first server fails", () =>
    fails("2,3", "one"));
  test("proxy_next_upstream_tries limits the number of servers that a login tries", async () => {
    await fails("2,4,3", "two");
    await succeeds("2,3", "two");
  });
  test("proxy_next_upstream_timeout limits the time for the next server", () =>
    fails("5,3", "hasty"));
});

test("a server's refusal of the login is final, and no other server is tried", async () => {
  const { connections } = upstreams.get("127.0.0.3")!;
  await fails("7,3", "strict");
  assert.equal(upstreams.get("127.0.0.3")!.connections, connections);
});

test("a failed server is skipped for fail_timeout, unless it is the login's only server", async () => {
  const failing = upstreams.get("127.0.0.8")!;
  await succeeds("8,3", "strict");
  await succeeds("8,3", "strict");
  assert.equal(failing.connections, 1);
  // A login with no other server still tries the failed server.
  await fails("8", "strict");
  assert.equal(failing.connections, 2);
});

test("the error log names the server of each failure, and the access log lists every server tried", async () => {
  const { program } = postern.proxy;
  const earlier = program.stderr.length;
  const { wire, answer } = await logIn("2,nobody.test,3");
  assert.match(answer, /^a OK/);
  wire.end();
  await program.logs(/proxied session done.*login: "2,nobody.test,3"/);
  const logHas = (pattern: string): void => {
    assert.match(program.stderr.slice(earlier), new RegExp(pattern));
  };
  logHas(
    String.raw`\[error\] .* recv\(\) failed \(111: Connection refused\) while connecting to upstream, .* upstream: 127\.0\.0\.2:${port}`,
  );
  logHas(
    String.raw`\[error\] .* nobody\.test could not be resolved \(3: Host not found\) while connecting to upstream, .* upstream: nobody\.test:${port}`,
  );
  await program.says('"login":"2,nobody.test,3"');
  const session = postern.sessions().find(({ login }) => login === "2,nobody.test,3");
  assert.equal(
    session?.["upstream_addr"],
    `127.0.0.2:${port}, nobody.test:${port}, 127.0.0.3:${port}`,
  );
});
