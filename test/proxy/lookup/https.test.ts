import assert from "node:assert/strict";
import { once } from "node:events";
import { type Server, createServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { after, before, test } from "node:test";
import type { LookupClient } from "../../../proxy/lookup/index.ts";
import { SocketClientTls, SocketTransport } from "../../../proxy/transport/index.ts";
import { type Certificate, selfSigned } from "../../support/certificates/certificate.ts";
import { lookUp, lookupClientOf, lookupRequest } from "../../support/proxy/lookup-request.ts";

let serverCertificate: Certificate;
let server: Server;
let port: number;
const requests: { password: string; agent: string; resumed: boolean }[] = [];

before(async () => {
  serverCertificate = await selfSigned();
  server = createServer(
    { key: serverCertificate.key, cert: serverCertificate.certificate },
    (request, reply) => {
      requests.push({
        password: String(request.headers["auth-pass"]),
        agent: String(request.headers["user-agent"]),
        resumed: (request.socket as TLSSocket).isSessionReused(),
      });
      // Every second connection is closed, so that the next lookup needs a new one.
      if (requests.length % 2 === 0) reply.shouldKeepAlive = false;
      reply.writeHead(200, {
        "Auth-Status": "OK",
        "Auth-Server": "127.0.0.1",
        "Auth-Port": 143,
        "Content-Length": 0,
      });
      reply.end();
    },
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
after(() => server.close());

function lookupClient(host: string, tls: SocketClientTls, at = port): LookupClient {
  return lookupClientOf(new SocketTransport(), {
    auth_http: { https: true, host, port: at, hostHeader: host, uri: "/auth" },
    tls,
    auth_http_header: [],
    auth_http_cache: null,
    auth_http_keepalive: true,
    auth_http_unescape: false,
    auth_http_pass_client_cert: false,
    auth_http_timeout: 60_000,
  });
}

const signal = new AbortController().signal;
const eightBit = lookupRequest({
  credentials: { method: "plain", login: "anna", password: "p\xc3\xa4ss %" },
});

test("a trusted endpoint gets the lookup, by name or by address, with the password escaped", async () => {
  for (const host of ["localhost", "127.0.0.1"]) {
    const tls = new SocketClientTls({ verify: true, trusted: serverCertificate.certificate });
    assert.equal((await lookUp(lookupClient(host, tls), eightBit, signal)).kind, "route");
    const last = requests.at(-1);
    assert.equal(last?.password, "p%C3%A4ss%20%25");
    assert.match(last.agent, /^postern\/\d/);
  }
});

test("a later connection resumes the TLS session of an earlier one", async () => {
  const client = lookupClient(
    "localhost",
    new SocketClientTls({ verify: true, trusted: serverCertificate.certificate }),
  );
  for (let lookup = 0; lookup < 4; lookup++) await lookUp(client, eightBit, signal);
  assert.ok(requests.slice(-4).some(({ resumed }) => resumed));
});

test("an endpoint with an untrusted certificate, or one for another name, is unavailable and gets no password", async () => {
  const untrusting = new SocketClientTls({ verify: true, trusted: null });
  const earlier = requests.length;
  const unknown = await lookUp(lookupClient("localhost", untrusting), eightBit, signal);
  assert.match(JSON.stringify(unknown), /"unavailable".*self-signed certificate/);

  const other = new SocketClientTls({ verify: true, trusted: serverCertificate.certificate });
  const wrong = await lookUp(lookupClient("127.0.0.2", other), eightBit, signal);
  assert.equal(wrong.kind, "unavailable");
  assert.equal(requests.length, earlier, "no password was sent");
});

test("auth_http_ssl_verify off accepts an untrusted certificate", async () => {
  const notVerifying = new SocketClientTls({ verify: false, trusted: null });
  assert.equal(
    (await lookUp(lookupClient("localhost", notVerifying), eightBit, signal)).kind,
    "route",
  );
});

test("an endpoint that speaks no TLS is unavailable", async () => {
  const plain = createTcpServer((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n")).listen(
    0,
    "127.0.0.1",
  );
  await once(plain, "listening");
  const tls = new SocketClientTls({ verify: true, trusted: serverCertificate.certificate });
  const at = (plain.address() as AddressInfo).port;
  const reply = await lookUp(lookupClient("localhost", tls, at), eightBit, signal);
  assert.equal(reply.kind, "unavailable");
  plain.close();
});
