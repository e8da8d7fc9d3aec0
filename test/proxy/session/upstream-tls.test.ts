// TLS to upstreams: who decides about it, and what it demands.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Server, type TLSSocket, createServer } from "node:tls";
import { issue } from "../../support/authority.ts";
import { type LookupEndpoint, reply, startLookupEndpoint } from "../../support/lookup-endpoint.ts";
import type { Listener } from "../../support/mailbox/index.ts";
import { anna, attempt, greeted, temporary, untilClosed } from "../../support/mail-client.ts";
import { type Scratch, makeScratch } from "../../support/scratch.ts";
import { type Servers, startServers } from "../../support/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/upstream.ts";
import { Wire, run } from "../../support/wire.ts";

const authority = issue("/CN=authority", { ca: true });
const certificates = {
  good: issue("/CN=mail", { by: authority, names: "DNS:mail.test,IP:127.0.0.1" }),
  other: issue("/CN=mail", { by: authority, names: "DNS:other.test" }),
  expired: issue("/CN=mail", { by: authority, names: "IP:127.0.0.1", days: -1 }),
  stranger: issue("/CN=mail", { names: "IP:127.0.0.1" }),
};

/** What the login says of the server: its certificate, and headers of the lookup. */
const LOGINS: Record<string, Record<string, string>> = {};

const secure = new Map<string, Server>();
let clear: Listener;
let endpoint: LookupEndpoint;
let scratch: Scratch;
let postern: Servers<"on" | "off" | "unsaid" | "named" | "careless">;

/** Grants the login, and says by its tag whether it was heard under TLS. */
async function serve(wire: Wire): Promise<void> {
  await grantImap(wire);
  await silence();
}

before(async () => {
  for (const [name, { certificate, key }] of Object.entries(certificates)) {
    const server = createServer({ cert: certificate, key }, (socket: TLSSocket) => {
      const wire = new Wire(socket);
      run(wire, () => serve(wire));
    }).on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    secure.set(name, server);
  }
  clear = await startUpstream(serve);
  endpoint = await startLookupEndpoint((lookup) => {
    const login = lookup.header("Auth-User")!;
    const [server = ""] = login.split("/");
    const tls = secure.get(server)?.address() as AddressInfo | undefined;
    return reply(200, {
      "Auth-Status": "OK",
      "Auth-Server": "127.0.0.1",
      "Auth-Port": tls?.port ?? clear.port,
      ...LOGINS[login],
    });
  });
  scratch = await makeScratch();
  const file = join(scratch.path, "authority.pem");
  await writeFile(file, authority.certificate);
  const imap = "listen 127.0.0.1:PORT; protocol imap;";
  postern = await startServers(
    `auth_http ${endpoint.address}; timeout 5s; proxy_ssl_trusted_certificate ${file};`,
    {
      on: `${imap} proxy_ssl on;`,
      off: `${imap} proxy_ssl off;`,
      unsaid: imap,
      named: `${imap} proxy_ssl on; proxy_ssl_name other.test;`,
      careless: `${imap} proxy_ssl on; proxy_ssl_verify off;`,
    },
  );
});
after(async () => {
  await postern.stop();
  await endpoint.close();
  await clear.close();
  for (const server of secure.values()) server.close();
  await scratch.remove();
});

type By = keyof (typeof postern)["ports"];

/** @param headers of the lookup's reply */
async function logIn(
  server: string,
  by: By,
  headers: Record<string, string> = {},
): Promise<{ wire: Wire; answer: string; login: string }> {
  const login = `${server}/${by}/${Object.values(headers).join("/")}`;
  LOGINS[login] = headers;
  const wire = await greeted("imap", postern.ports[by]);
  return { wire, answer: await attempt("imap", wire, { ...anna, login }), login };
}

async function succeeds(...how: Parameters<typeof logIn>): Promise<void> {
  const { wire, answer } = await logIn(...how);
  assert.equal(answer, "a OK logged in");
  wire.end();
}

/** @returns what the error log says of it */
async function fails(...how: Parameters<typeof logIn>): Promise<string> {
  const { wire, answer, login } = await logIn(...how);
  assert.match(answer, temporary.imap);
  assert.deepEqual(await untilClosed(wire), []);
  const [line] = await postern.proxy.program.logs(
    new RegExp(`^.*\\[error\\].*login: "${login}".*$`),
  );
  return line![0];
}

describe("the upstream is under TLS", { concurrency: true }, () => {
  test("with proxy_ssl on", () => succeeds("good", "on"));
  test("when the lookup says so", () => succeeds("good", "unsaid", { "Auth-Upstream-TLS": "tls" }));
  test("when the lookup says so, although proxy_ssl is off", () =>
    succeeds("good", "off", { "Auth-Upstream-TLS": "tls" }));
});

describe("the upstream is in the clear", { concurrency: true }, () => {
  test("with proxy_ssl off", () => succeeds("clear", "off"));
  test("where nobody speaks of TLS and the port does not mean it", () =>
    succeeds("clear", "unsaid"));
  test("when the lookup says so and proxy_ssl demands nothing", () =>
    succeeds("clear", "unsaid", { "Auth-Upstream-TLS": "off" }));
});

test("a lookup cannot take away the TLS that proxy_ssl demands", async () => {
  const said = await fails("clear", "on", { "Auth-Upstream-TLS": "off" });
  assert.match(said, /lookup forbids the TLS that proxy_ssl demands while connecting to upstream/);
});

describe("its certificate", { concurrency: true }, () => {
  const handshake =
    "while SSL handshaking to upstream, client: .*, upstream: 127\\.0\\.0\\.1:\\d+$";

  test("must be for the server that the lookup names", async () => {
    assert.match(
      await fails("other", "on"),
      new RegExp(
        `upstream SSL certificate does not match "127.0.0.1": it is for DNS:other.test ${handshake}`,
      ),
    );
  });
  test("may be for proxy_ssl_name instead", () => succeeds("other", "named"));
  test("may be for the lookup's Auth-Upstream-Name instead", () =>
    succeeds("good", "named", { "Auth-Upstream-Name": "mail.test" }));
  test("must not have expired", async () => {
    assert.match(
      await fails("expired", "on"),
      new RegExp(`certificate verify error: \\(10:certificate has expired\\) ${handshake}`),
    );
  });
  test("must be of an authority that is trusted", async () => {
    assert.match(
      await fails("stranger", "on"),
      new RegExp(`certificate verify error: .*${handshake}`),
    );
  });
  test("is not looked at with proxy_ssl_verify off", () => succeeds("stranger", "careless"));
});

test("a server that speaks no TLS is not spoken to in the clear", async () => {
  const { connections, lines } = clear;
  assert.match(await fails("clear", "on"), /while SSL handshaking to upstream/);
  assert.equal(clear.connections, connections + 1);
  assert.ok(!lines.some((line) => line.includes("clear/on/")));
});
