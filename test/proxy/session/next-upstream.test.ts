// What becomes of a login when the server that it was sent to fails.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type LookupEndpoint, reply, startLookupEndpoint } from "../../support/lookup-endpoint.ts";
import { Listener } from "../../support/mailbox/listener.ts";
import { anna, attempt, greeted, temporary, untilClosed } from "../../support/mail-client.ts";
import { type NameServer, startNameServer, zone } from "../../support/name-server.ts";
import { freePorts } from "../../support/ports.ts";
import { type Servers, startServers } from "../../support/servers.ts";
import { grantImap, silence } from "../../support/upstream.ts";
import { Wire, run } from "../../support/wire.ts";

const IMAP = "listen 127.0.0.1:PORT; protocol imap; resolver NAMES ipv6=off;";

/** A server at each of the loopback addresses: 127.0.0.2 does this, 127.0.0.3 that. All share a port. */
const WAYS: Record<string, ((wire: Wire) => Promise<void>) | null> = {
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
  for (const [host, script] of Object.entries(WAYS)) {
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
    // The login names the servers: "2,3" is 127.0.0.2 and then 127.0.0.3; others are names.
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

async function logIn(servers: string, by: keyof (typeof postern)["ports"] = "patient") {
  const wire = await greeted("imap", postern.ports[by]);
  const answer = await attempt("imap", wire, { ...anna, login: servers });
  return { wire, answer };
}

async function succeeds(servers: string, by?: keyof (typeof postern)["ports"]): Promise<void> {
  const { wire, answer } = await logIn(servers, by);
  assert.equal(answer, "a OK logged in");
  wire.end();
}

async function fails(servers: string, by?: keyof (typeof postern)["ports"]): Promise<void> {
  const { wire, answer } = await logIn(servers, by);
  assert.match(answer, temporary.imap);
  assert.deepEqual(await untilClosed(wire), []);
}

describe("the next server gets the login", { concurrency: true }, () => {
  const CASES: Record<string, string> = {
    "when a server refuses connections": "2,3",
    "when a server hangs up at its greeting": "4,3",
    "when a server says nothing": "5,3",
    "when a server hangs up over the password": "6,3",
    "when several fail": "2,4,6,3",
    "when a server's name does not exist": "nobody.test,3",
    "when one address of a name fails": "both.test",
    "when the server behind one address of a name turns us away": "leaving.test",
  };
  for (const [when, servers] of Object.entries(CASES)) {
    test(when, () => succeeds(servers));
  }
  test("when a server's name does not exist, since that is no try (proxy_next_upstream off)", () =>
    succeeds("nobody.test,3", "one"));
});

describe("a client hears that it is temporary", { concurrency: true }, () => {
  test("when all servers fail", () => fails("2,4,6"));
  test("when the only server's name does not exist", () => fails("nobody.test"));
  test("when the first fails and proxy_next_upstream is off", () => fails("2,3", "one"));
  test("when proxy_next_upstream_tries have been made", async () => {
    await fails("2,4,3", "two");
    await succeeds("2,3", "two");
  });
  test("when proxy_next_upstream_timeout is over", () => fails("5,3", "hasty"));
});

test("a server that has refused the login has the last word", async () => {
  const { connections } = upstreams.get("127.0.0.3")!;
  await fails("7,3", "strict");
  assert.equal(upstreams.get("127.0.0.3")!.connections, connections);
});

test("a server that has failed is not asked again for fail_timeout", async () => {
  const failing = upstreams.get("127.0.0.8")!;
  await succeeds("8,3", "strict");
  await succeeds("8,3", "strict");
  assert.equal(failing.connections, 1);
  // Better than none at all.
  await fails("8", "strict");
  assert.equal(failing.connections, 2);
});

test("each failure is told with the server that it was, and the access log has them all", async () => {
  const { program } = postern.proxy;
  const earlier = program.stderr.length;
  const { wire, answer } = await logIn("2,nobody.test,3");
  assert.match(answer, /^a OK/);
  wire.end();
  await program.logs(/proxied session done.*login: "2,nobody.test,3"/);
  const told = (pattern: string): void => {
    assert.match(program.stderr.slice(earlier), new RegExp(pattern));
  };
  told(
    String.raw`\[error\] .* recv\(\) failed \(111: Connection refused\) while connecting to upstream, .* upstream: 127\.0\.0\.2:${port}`,
  );
  told(
    String.raw`\[error\] .* nobody\.test could not be resolved \(3: Host not found\) while connecting to upstream, .* upstream: nobody\.test:${port}`,
  );
  await program.says('"login":"2,nobody.test,3"');
  const session = postern.sessions().find(({ login }) => login === "2,nobody.test,3");
  assert.equal(
    session?.["upstream_addr"],
    `127.0.0.2:${port}, nobody.test:${port}, 127.0.0.3:${port}`,
  );
});
