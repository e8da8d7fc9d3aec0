// TLS as a client: the servers that it accepts, and the errors about others.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TlsOptions } from "node:tls";
import { reason } from "../../../../proxy/reason.ts";
import {
  type IssueOptions,
  chain,
  issue,
  revoke,
} from "../../../support/certificates/authority.ts";
import { type Certificate, selfSigned } from "../../../support/certificates/certificate.ts";
import {
  type Secured,
  type TlsPeer,
  clientTls,
  greeted,
  opened,
  opensslPeer,
  tlsPeer,
} from "../../../support/transport/tls-peer.ts";

const authority = issue("/CN=authority", { ca: true });
const stranger = issue("/CN=stranger", { ca: true });
const between = issue("/CN=between", { ca: true, by: authority });
const MAIL = "DNS:mail.test, DNS:*.pool.test, IP:127.0.0.1, IP:::1";
const make = (options: IssueOptions = {}): Certificate =>
  issue("/CN=mail.test", { by: authority, names: MAIL, ...options });
const good = make();
const revoked = make();
const expired = make({ days: -1 });
const weak = make({ rsa: true, bits: 1024 });
const own = issue("/CN=mail.test", { names: MAIL });
const later = await selfSigned("mail.test", new Date(Date.now() + 86_400_000));
const client = issue("/CN=client", { by: authority });
const strange = issue("/CN=client", { by: stranger });

const files = {
  "ca.crt": authority.certificate,
  "later.crt": later.certificate,
  "ca.crl": revoke(authority, revoked),
  "stranger.crl": revoke(stranger),
  "client.crt": client.certificate,
  "client.key": client.key,
  "strange.crt": strange.certificate,
  "strange.key": strange.key,
};
const TRUST = "proxy_ssl_trusted_certificate ca.crt;";
const CLIENT = "proxy_ssl_certificate client.crt; proxy_ssl_certificate_key client.key;";
const STRANGE = CLIENT.replaceAll("client.", "strange.");

/** Opens TLS with these directives. */
function secure(peer: TlsPeer, directives = TRUST, name = "mail.test"): Promise<Secured> {
  return opened(peer, clientTls(directives, files), name);
}

/** The error of the handshake; null if it succeeds. */
async function handshakeError(
  certificate: Certificate,
  directives = TRUST,
  name = "mail.test",
  options: TlsOptions = {},
): Promise<string | null> {
  await using peer = await tlsPeer(certificate, options);
  try {
    await greeted(await secure(peer, directives, name));
    return null;
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.message;
  }
}

const LOOSE = { ciphers: "DEFAULT:@SECLEVEL=0" };

describe("a certificate", () => {
  test("is valid for its names, in any case, and for its addresses", async () => {
    for (const name of [
      "mail.test",
      "MAIL.test",
      "mail.test.",
      "a.pool.test",
      "127.0.0.1",
      "::1",
    ]) {
      assert.equal(await handshakeError(good, TRUST, name), null, name);
    }
    assert.equal(await handshakeError(chain(make({ by: between }), between)), null);
  });

  const NAMES = `it is for ${MAIL.replaceAll("IP:", "IP Address:").replace("::1", "0:0:0:0:0:0:0:1")}`;
  for (const name of [
    "other.test",
    "a.b.pool.test",
    "pool.test",
    "127.0.0.2",
    "::2",
    "mail.test\0",
    "a".repeat(300),
  ]) {
    test(`is not valid for ${JSON.stringify(name)}, and the error lists its names`, async () => {
      assert.equal(
        await handshakeError(good, TRUST, name),
        `upstream SSL certificate does not match "${name}": ${NAMES}`,
      );
    });
  }

  test("without alternative names is valid for its common name, and an error cuts a long list of names short", async () => {
    const bare = issue("/CN=bare.test", { by: authority });
    assert.equal(await handshakeError(bare, TRUST, "bare.test"), null);
    assert.match(
      (await handshakeError(bare))!,
      /does not match "mail\.test": it is for CN=bare\.test$/,
    );
    const many = Array.from({ length: 100 }, (_, index) => `DNS:${index}.test`).join(", ");
    const crowd = issue("/CN=mail.test", { by: authority, names: many });
    const error = await handshakeError(crowd);
    assert.match(error!, /it is for DNS:0\.test, .*\.\.\.$/);
    assert.ok(error!.length < 300);
  });

  const FAULTS: Readonly<Record<string, [Certificate, string, string?]>> = {
    "has expired": [expired, "(10:certificate has expired)"],
    "is not valid yet": [
      later,
      "(9:certificate is not yet valid)",
      "proxy_ssl_trusted_certificate later.crt;",
    ],
    "is self-signed": [own, "(18:self-signed certificate)"],
    "is sent with an unknown authority": [
      chain(make({ by: stranger }), stranger),
      "(19:self-signed certificate in certificate chain)",
    ],
    "has an unknown authority": [
      make({ by: stranger }),
      "(21:unable to verify the first certificate)",
    ],
    "is sent without its intermediate certificates": [
      make({ by: between }),
      "(21:unable to verify the first certificate)",
    ],
    "has no well-known authority": [
      good,
      "(21:unable to verify the first certificate)",
      "proxy_ssl_verify on;",
    ],
    "is for clients": [make({ usage: "clientAuth" }), "(26:unsuitable certificate purpose)"],
    "has a weak key": [weak, "(66:EE certificate key too weak)"],
    "is revoked": [revoked, "(23:certificate revoked)", `${TRUST} proxy_ssl_crl ca.crl;`],
    "has an authority that no revocation list covers": [
      good,
      "(3:unable to get certificate CRL)",
      `${TRUST} proxy_ssl_crl stranger.crl;`,
    ],
  };
  for (const [fault, [certificate, problem, directives]] of Object.entries(FAULTS)) {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const options = { ...LOOSE, minVersion: version, maxVersion: version };
      test(`that ${fault} ends the connection (${version})`, async () => {
        assert.equal(
          await handshakeError(certificate, directives, "mail.test", options),
          `upstream SSL certificate verify error: ${problem}`,
        );
      });

      test(`that ${fault} is accepted with proxy_ssl_verify off (${version})`, async () => {
        const off = `${(directives ?? TRUST).replace("proxy_ssl_verify on;", "")} proxy_ssl_verify off;`;
        assert.equal(await handshakeError(certificate, off, "elsewhere.test", options), null);
      });
    }
  }

  test("that is on no revocation list is valid, and a revoked certificate is valid without proxy_ssl_crl", async () => {
    assert.equal(await handshakeError(good, `${TRUST} proxy_ssl_crl ca.crl;`), null);
    assert.equal(await handshakeError(revoked), null);
  });
});

describe("the version and cipher of a connection", () => {
  const only = (version: "TLSv1" | "TLSv1.2" | "TLSv1.3"): TlsOptions => ({
    minVersion: version,
    maxVersion: version,
    ciphers: "ALL:@SECLEVEL=0",
  });

  test("are chosen from proxy_ssl_protocols and proxy_ssl_ciphers", async () => {
    const SPOKEN: Readonly<Record<string, string>> = {
      [TRUST]: "TLSv1.3",
      [`${TRUST} proxy_ssl_protocols TLSv1.2;`]: "TLSv1.2",
      [`${TRUST} proxy_ssl_conf_command MaxProtocol TLSv1.2;`]: "TLSv1.2",
      [`${TRUST} proxy_ssl_protocols TLSv1; proxy_ssl_ciphers ALL:@SECLEVEL=0;`]: "TLSv1",
      [`${TRUST} proxy_ssl_protocols TLSv1.2; proxy_ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;`]:
        "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256",
      [`${TRUST} proxy_ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;`]:
        "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256",
    };
    await using peer = await tlsPeer(good, { minVersion: "TLSv1", ciphers: "ALL:@SECLEVEL=0" });
    for (const [directives, spoken] of Object.entries(SPOKEN)) {
      const secured = await secure(peer, directives);
      const { protocol, cipher } = secured.connection.tls!;
      assert.ok(`${protocol} ${cipher}`.startsWith(spoken), `${protocol} ${cipher}`);
      await greeted(secured);
    }
  });

  const NOTHING: Readonly<Record<string, [TlsOptions, string?]>> = {
    "TLS 1.0 only": [only("TLSv1")],
    "TLS 1.3 only": [only("TLSv1.3"), `${TRUST} proxy_ssl_protocols TLSv1.2;`],
    "TLS 1.2 only": [only("TLSv1.2"), `${TRUST} proxy_ssl_protocols TLSv1.3;`],
    "other ciphers": [
      { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" },
      `${TRUST} proxy_ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;`,
    ],
  };
  for (const [what, [options, directives]] of Object.entries(NOTHING)) {
    test(`cannot be negotiated with a server that speaks ${what}, and OpenSSL's error is reported`, async () => {
      const error = await handshakeError(good, directives, "mail.test", options);
      assert.match(
        error!,
        /^SSL_do_handshake\(\) failed \(SSL: error:0A0\w{5}:SSL routines::[\w/ ]+\)$/,
      );
    });
  }
});

describe("a server that requires a client certificate", () => {
  const demand = { requestCert: true, rejectUnauthorized: true, ca: authority.certificate };

  test("receives the certificate of proxy_ssl_certificate", async () => {
    await using peer = await tlsPeer(good, demand);
    await greeted(await secure(peer, `${TRUST} ${CLIENT}`));
    assert.equal(peer.met[0]?.getPeerCertificate().subject.CN, "client");
  });

  for (const [what, directives] of [
    ["no certificate", TRUST],
    ["a certificate of another authority", `${TRUST} ${STRANGE}`],
  ] as const) {
    test(`and receives ${what} ends the handshake of TLS 1.2`, async () => {
      await using peer = await opensslPeer(good, authority, "-tls1_2");
      await assert.rejects(secure(peer, directives), {
        message:
          /^SSL_do_handshake\(\) failed \(SSL: error:0A000\w{3}:SSL routines::[\w/]+ alert [\w ]+\)$/,
      });
    });

    test(`and receives ${what} ends the connection of TLS 1.3 before the greeting`, async () => {
      await using peer = await opensslPeer(good, authority, "-tls1_3");
      const { receiver } = await secure(peer, directives);
      assert.match(
        reason((await receiver.closing.promise)!),
        /^SSL: error:0A000\w{3}:SSL routines::tlsv1\w* alert /,
      );
      assert.equal(receiver.text, "");
    });
  }
});

describe("the server name in the handshake (SNI)", () => {
  const asked = async (directives: string, name: string): Promise<string | false> => {
    await using peer = await tlsPeer(good);
    await greeted(await secure(peer, directives, name));
    return peer.met[0]?.servername ?? "no handshake";
  };

  test("is the server's host name, without a final dot", async () => {
    assert.equal(await asked(TRUST, "mail.test"), "mail.test");
    assert.equal(await asked(TRUST, "mail.test."), "mail.test");
  });

  test("is absent for an address, and with proxy_ssl_server_name off", async () => {
    assert.equal(await asked(TRUST, "127.0.0.1"), false);
    assert.equal(await asked(`${TRUST} proxy_ssl_server_name off;`, "mail.test"), false);
  });
});
