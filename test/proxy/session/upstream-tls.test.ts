// TLS to upstreams: proxy_ssl and the lookup choose it, and a verified certificate is required.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Server, type TLSSocket, createServer } from "node:tls";
import { issue } from "../../support/certificates/authority.ts";
import {
  type LookupEndpoint,
  reply,
  startLookupEndpoint,
} from "../../support/peers/lookup-endpoint.ts";
import type { Listener } from "../../support/peers/mailbox/index.ts";
import { anna, attempt, greeted, temporary, untilClosed } from "../../support/peers/mail-client.ts";
import { freePorts } from "../../support/programs/ports.ts";
import { type Scratch, makeScratch } from "../../support/programs/scratch.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { grantImap, silence, startUpstream } from "../../support/peers/upstream.ts";
import { Wire, run } from "../../support/peers/wire.ts";

const authority = issue("/CN=authority", { ca: true });
const certificates = {
  good: issue("/CN=mail", { by: authority, names: "DNS:mail.test,IP:127.0.0.1" }),
  other: issue("/CN=mail", { by: authority, names: "DNS:other.test" }),
  expired: issue("/CN=mail", { by: authority, names: "IP:127.0.0.1", days: -1 }),
  stranger: issue("/CN=mail", { names: "IP:127.0.0.1" }),
};

/** Headers of the lookup's reply by login; a login also names the server's certificate. */
const REPLY_HEADERS: Record<string, Record<string, string>> = {};

const secure = new Map<string, Server>();
let clear: Listener;
let endpoint: LookupEndpoint;
let scratch: Scratch;
let postern: Servers<"on" | "off" | "unsaid" | "named" | "careless">;

/** Grants the login, and then stays silent. */
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
      ...REPLY_HEADERS[login],
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

type ProxyName = keyof (typeof postern)["ports"];

/** @param headers of the lookup's reply */
async function logIn(
  server: string,
  proxy: ProxyName,
  headers: Record<string, string> = {},
): Promise<{ wire: Wire; answer: string; login: string }> {
  const login = `${server}/${proxy}/${Object.values(headers).join("/")}`;
  REPLY_HEADERS[login] = headers;
  const wire = await greeted("imap", postern.ports[proxy]);
  return { wire, answer: await attempt("imap", wire, { ...anna, login }), login };
}

async function succeeds(...args: Parameters<typeof logIn>): Promise<void> {
  const { wire, answer } = await logIn(...args);
  assert.equal(answer, "a OK logged in");
  wire.end();
}

/** @returns the error log's line for the login */
async function fails(...args: Parameters<typeof logIn>): Promise<string> {
  const { wire, answer, login } = await logIn(...args);
  assert.match(answer, temporary.imap);
  assert.deepEqual(await untilClosed(wire), []);
  const [line] = await postern.proxy.program.logs(
    new RegExp(`^.*\\[error\\].*login: "${login}".*$`),
  );
  return line![0];
}

describe("the proxy speaks TLS to the upstream", { concurrency: true }, () => {
  test("proxy_ssl on selects TLS", () => succeeds("good", "on"));
  test("the lookup's Auth-Upstream-TLS selects TLS", () =>
    succeeds("good", "unsaid", { "Auth-Upstream-TLS": "tls" }));
  test("the lookup's Auth-Upstream-TLS overrides proxy_ssl off", () =>
    succeeds("good", "off", { "Auth-Upstream-TLS": "tls" }));
});

describe("the proxy speaks to the upstream in the clear", { concurrency: true }, () => {
  test("proxy_ssl off selects the clear", () => succeeds("clear", "off"));
  test("the clear is the default where neither the configuration, the lookup nor the port selects TLS", () =>
    succeeds("clear", "unsaid"));
  test("the lookup's Auth-Upstream-TLS off selects the clear where proxy_ssl is not set", () =>
    succeeds("clear", "unsaid", { "Auth-Upstream-TLS": "off" }));
});

test("a lookup cannot turn off the TLS that proxy_ssl on demands", async () => {
  const logLine = await fails("clear", "on", { "Auth-Upstream-TLS": "off" });
  assert.match(
    logLine,
    /lookup forbids the TLS that proxy_ssl demands while connecting to upstream/,
  );
});

describe("the upstream's certificate", { concurrency: true }, () => {
  const handshake =
    "while SSL handshaking to upstream, client: .*, upstream: 127\\.0\\.0\\.1:\\d+$";

  test("a certificate for another name than the lookup's server is refused", async () => {
    assert.match(
      await fails("other", "on"),
      new RegExp(
        `upstream SSL certificate does not match "127.0.0.1": it is for DNS:other.test ${handshake}`,
      ),
    );
  });
  test("a certificate for proxy_ssl_name is accepted", () => succeeds("other", "named"));
  test("a certificate for the lookup's Auth-Upstream-Name is accepted, although proxy_ssl_name is set", () =>
    succeeds("good", "named", { "Auth-Upstream-Name": "mail.test" }));
  test("a fallback's certificate must be for the fallback's own name, whatever Auth-Upstream-Name says", async () => {
    const [dead] = await freePorts(1);
    const fallback = (name: string, upstreamName: string): Record<string, string> => ({
      "Auth-Port": `${dead}`,
      "Auth-Fallback": `127.0.0.1:${(secure.get(name)!.address() as AddressInfo).port}`,
      "Auth-Upstream-Name": upstreamName,
    });
    await succeeds("good", "on", fallback("good", "elsewhere.test"));
    const line = await fails("good", "on", fallback("other", "other.test"));
    assert.match(line, /111: Connection refused/);
    const login = /login: "[^"]*"/.exec(line)?.[0] ?? "";
    await postern.proxy.program.logs(
      new RegExp(`certificate does not match "127.0.0.1": it is for DNS:other.test .*${login}`),
    );
  });
  test("an expired certificate is refused", async () => {
    assert.match(
      await fails("expired", "on"),
      new RegExp(`certificate verify error: \\(10:certificate has expired\\) ${handshake}`),
    );
  });
  test("a certificate of an untrusted authority is refused", async () => {
    assert.match(
      await fails("stranger", "on"),
      new RegExp(`certificate verify error: .*${handshake}`),
    );
  });
  test("proxy_ssl_verify off accepts an untrusted certificate", () =>
    succeeds("stranger", "careless"));
});

test("the proxy sends no login in the clear to a server that fails the TLS handshake", async () => {
  const { connections, lines } = clear;
  assert.match(await fails("clear", "on"), /while SSL handshaking to upstream/);
  assert.equal(clear.connections, connections + 1);
  assert.ok(!lines.some((line) => line.includes("clear/on/")));
});
