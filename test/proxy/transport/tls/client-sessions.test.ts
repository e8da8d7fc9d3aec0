// Resumption of TLS sessions with upstream servers.
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import type { SecureVersion, TlsOptions } from "node:tls";
import type { SocketClientTls } from "../../../../proxy/transport/index.ts";
import { issue, revoke } from "../../../support/certificates/authority.ts";
import { RecordingReceiver } from "../../../support/transport/connections.ts";
import {
  type TlsPeer,
  clientTls,
  dial,
  opensslPeer,
  tlsPeer,
} from "../../../support/transport/tls-peer.ts";
import { connectTlsOn } from "../../../support/transport/transport.ts";

const authority = issue("/CN=authority", { ca: true });
const names = "DNS:mail.test, DNS:other.test, IP:127.0.0.1";
const certificate = issue("/CN=mail.test", { by: authority, names });
const clientCertificate = issue("/CN=client", { by: authority });
const files = {
  "ca.crt": authority.certificate,
  "ca.crl": revoke(authority),
  "client.crt": clientCertificate.certificate,
  "client.key": clientCertificate.key,
};
const CLIENT = "proxy_ssl_certificate client.crt; proxy_ssl_certificate_key client.key;";
const TRUST = "proxy_ssl_trusted_certificate ca.crt;";
const ticketKeys = Buffer.alloc(48, 1);

function client(directives = TRUST): SocketClientTls {
  return clientTls(directives, files);
}

/** Reads the greeting, which comes after all tickets. @returns true if the session was resumed */
async function visit(tls: SocketClientTls, { at }: TlsPeer, name = "mail.test"): Promise<boolean> {
  const connection = await dial(at);
  await connectTlsOn(connection, tls, name);
  const receiver = new RecordingReceiver(connection);
  connection.write("hello\n");
  while (receiver.text === "") await new Promise(setImmediate);
  connection.close();
  return connection.tls!.resumed;
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const satisfies readonly SecureVersion[]) {
  describe(`a session of ${version}`, () => {
    const options: TlsOptions = { minVersion: version, maxVersion: version, ticketKeys };

    test("is resumed repeatedly with a server that issues a ticket each time", async () => {
      const flag = version === "TLSv1.2" ? "-tls1_2" : "-tls1_3";
      await using peer = await opensslPeer(certificate, authority, flag);
      const tls = client(`${TRUST} ${CLIENT}`);
      const resumed = [];
      for (let count = 0; count < 5; count++) resumed.push(await visit(tls, peer));
      assert.deepEqual(resumed, [false, true, true, true, true]);
    });

    test("is resumed with proxy_ssl_crl, and with proxy_ssl_verify off", async () => {
      await using peer = await tlsPeer(certificate, options);
      for (const more of ["proxy_ssl_crl ca.crl;", "proxy_ssl_verify off;"]) {
        const tls = client(`${TRUST} ${more}`);
        assert.deepEqual([await visit(tls, peer), await visit(tls, peer)], [false, true]);
      }
    });

    test("is not resumed with proxy_ssl_session_reuse off", async () => {
      await using peer = await tlsPeer(certificate, options);
      const tls = client(`${TRUST} proxy_ssl_session_reuse off;`);
      assert.deepEqual([await visit(tls, peer), await visit(tls, peer)], [false, false]);
    });

    test("is not offered for another host name, because that name was not verified", async () => {
      await using peer = await tlsPeer(certificate, options);
      const tls = client();
      await visit(tls, peer);
      assert.equal(await visit(tls, peer, "other.test"), false);
      assert.equal(await visit(tls, peer, "127.0.0.1"), false);
      await assert.rejects(visit(tls, peer, "wrong.test"), /does not match/);
    });

    test("is not kept if the server's certificate is not valid", async () => {
      await using peer = await tlsPeer(certificate, options);
      const tls = client();
      for (let count = 0; count < 3; count++) {
        await assert.rejects(visit(tls, peer, "wrong.test"), /does not match "wrong.test"/);
      }
      const strict = client("proxy_ssl_verify on;");
      for (let count = 0; count < 3; count++) {
        await assert.rejects(visit(strict, peer), /verify error: \(21:/);
      }
    });

    test("is not offered at another port", async () => {
      await using peer = await tlsPeer(certificate, options);
      await using otherPort = await tlsPeer(certificate, options);
      const tls = client();
      await visit(tls, peer);
      assert.equal(await visit(tls, otherPort), false);
      assert.equal(await visit(tls, peer), true);
    });

    test("is not offered after the expiry of the server's certificate", async (t) => {
      await using peer = await tlsPeer(certificate, options);
      const tls = client();
      await visit(tls, peer);
      assert.equal(await visit(tls, peer), true);
      mock.timers.enable({ apis: ["Date"], now: Date.now() + 31 * 86_400_000 });
      t.after(() => mock.timers.reset());
      assert.equal(await visit(tls, peer), false);
    });
  });
}

test("a ticket of TLS 1.3 is used once, even by concurrent connections", async () => {
  await using peer = await tlsPeer(certificate, { minVersion: "TLSv1.3", ticketKeys });
  const tls = client();
  await visit(tls, peer);
  // OpenSSL issues two tickets.
  const resumed = await Promise.all(Array.from({ length: 6 }, () => visit(tls, peer)));
  assert.equal(resumed.filter(Boolean).length, 2);
});

test("a session of TLS 1.2 serves concurrent connections", async () => {
  await using peer = await tlsPeer(certificate, { maxVersion: "TLSv1.2", ticketKeys });
  const tls = client();
  await visit(tls, peer);
  const resumed = await Promise.all(Array.from({ length: 6 }, () => visit(tls, peer)));
  assert.deepEqual(resumed, Array(6).fill(true));
});
