import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SocketServerTls } from "../../../../proxy/transport/index.ts";
import type { VerifyError } from "../../../../proxy/transport/connection.ts";
import { chain, issue, revoke } from "../../../support/certificates/authority.ts";
import type { Certificate } from "../../../support/certificates/certificate.ts";
import { handshake, visit } from "../../../support/transport/handshake.ts";
import { serverTls } from "../../../support/transport/server-tls.ts";

const root = issue("/CN=root", { ca: true });
const between = issue("/CN=between", { ca: true, by: root });
const below = issue("/CN=below", { ca: true, by: between });
const stranger = issue("/CN=stranger", { ca: true });
const anna = issue("/CN=anna", { by: root });
const ben = issue("/CN=ben", { by: between });
const cleo = issue("/CN=cleo", { by: below });
const files = {
  "root.crt": root.certificate,
  "stranger.crt": stranger.certificate,
  "both.crt": `${root.certificate}${between.certificate}`,
  "all.crt": `${root.certificate}${between.certificate}${below.certificate}`,
  "anna.crl": revoke(root, anna),
  "irrelevant.crl": revoke(root) + revoke(between),
  "root.crl": revoke(root),
  "broken.crl": revoke(root).replace(/\n[A-Za-z0-9+/]{10}/, "\nAAAAAAAAAA"),
};

function server(directives: string): Promise<SocketServerTls> {
  return serverTls(`ssl_verify_client optional; ${directives}`, files);
}

const trusting = (file: string, more = ""): Promise<SocketServerTls> =>
  server(`ssl_client_certificate ${file}; ${more}`);

/** OpenSSL's error about a client's certificate. */
async function verifyError(
  shown: Certificate | null,
  tls: Promise<SocketServerTls>,
): Promise<VerifyError | null | undefined> {
  const { client, connection } = await handshake(clientOptions(shown), tls);
  client.destroy();
  return connection.tls?.verification?.error;
}

function clientOptions(shown: Certificate | null) {
  return shown === null ? {} : { cert: shown.certificate, key: shown.key };
}

/** OpenSSL's errors for a chain longer than the depth; the second is for a chain with a trusted certificate. */
const TOO_LONG = { code: 20, reason: "unable to get local issuer certificate" };
const TOO_LONG_TRUSTED = { code: 2, reason: "unable to get issuer certificate" };

describe("a client's certificate", () => {
  test("may be missing", async () => {
    const { client, connection } = await handshake({}, trusting("root.crt"));
    client.destroy();
    assert.deepEqual(connection.tls?.verification, { certificate: null, error: null });
  });

  test("is not requested by default", async () => {
    const { client, connection } = await handshake(clientOptions(anna), serverTls());
    client.destroy();
    assert.equal(connection.tls?.verification, null);
  });

  test("is valid if ssl_client_certificate or ssl_trusted_certificate has its authority", async () => {
    assert.equal(await verifyError(anna, trusting("root.crt")), null);
    assert.equal(await verifyError(anna, server("ssl_trusted_certificate root.crt;")), null);
  });

  const REASONS: Readonly<Record<string, [Certificate, number, string]>> = {
    "a self-signed certificate": [issue("/CN=self"), 18, "self-signed certificate"],
    "a certificate with the chain of an unknown authority": [
      chain(issue("/CN=x", { by: stranger }), stranger),
      19,
      "self-signed certificate in certificate chain",
    ],
    "a certificate of an unknown authority": [
      issue("/CN=x", { by: stranger }),
      21,
      "unable to verify the first certificate",
    ],
    "an expired certificate": [
      issue("/CN=old", { by: root, days: -1 }),
      10,
      "certificate has expired",
    ],
    "a certificate whose issuer is no authority": [
      chain(issue("/CN=x", { by: anna }), anna),
      26,
      "unsuitable certificate purpose",
    ],
  };
  for (const [name, [shown, code, why]] of Object.entries(REASONS)) {
    test(`may be ${name}: the handshake succeeds, with OpenSSL's error ${code}`, async () => {
      const error = await verifyError(shown, trusting("root.crt", "ssl_verify_depth 5;"));
      assert.deepEqual(error, { code, reason: why });
    });
  }

  test("is not trusted because of a well-known authority", async () => {
    const error = await verifyError(anna, serverTls("ssl_verify_client optional_no_ca;"));
    assert.equal(error?.code, 21);
  });
});

describe("ssl_verify_depth", () => {
  const chains: Readonly<Record<string, [shown: Certificate, needed: number]>> = {
    "no intermediate certificate": [anna, 0],
    "one intermediate certificate": [chain(ben, between), 1],
    "one intermediate certificate, sent with the trusted one": [chain(ben, between, root), 1],
    "two intermediate certificates": [chain(cleo, below, between), 2],
    "two intermediate certificates in the wrong order": [chain(cleo, between, below), 2],
  };
  for (const [name, [shown, needed]] of Object.entries(chains)) {
    test(`admits ${name} where the depth is at least ${needed}`, async () => {
      for (const depth of [0, 1, 2, 3]) {
        const error = await verifyError(shown, trusting("root.crt", `ssl_verify_depth ${depth};`));
        assert.deepEqual(error, depth < needed ? TOO_LONG : null, `depth ${depth}`);
      }
    });
  }

  test("also counts intermediate certificates of the server's own files", async () => {
    assert.equal(await verifyError(ben, trusting("both.crt")), null);
    const flat = await verifyError(ben, trusting("both.crt", "ssl_verify_depth 0;"));
    assert.deepEqual(flat, TOO_LONG_TRUSTED);
    assert.deepEqual(await verifyError(cleo, trusting("all.crt")), TOO_LONG_TRUSTED);
    assert.equal(await verifyError(cleo, trusting("all.crt", "ssl_verify_depth 2;")), null);
  });

  test("is 1 by default", async () => {
    assert.equal(await verifyError(chain(ben, between), trusting("root.crt")), null);
    assert.deepEqual(
      await verifyError(chain(cleo, below, between), trusting("root.crt")),
      TOO_LONG,
    );
  });

  test("also limits chains without a trusted authority", async () => {
    const long = chain(cleo, below, between, root);
    assert.deepEqual(
      await verifyError(long, server("ssl_trusted_certificate stranger.crt;")),
      TOO_LONG,
    );
    const self = await verifyError(
      chain(ben, between, root),
      server("ssl_trusted_certificate stranger.crt;"),
    );
    assert.deepEqual(self, { code: 19, reason: "self-signed certificate in certificate chain" });
  });

  test("is not reported for a chain that is too long and has expired", async () => {
    const old = chain(issue("/CN=old", { by: below, days: -1 }), below, between);
    assert.equal((await verifyError(old, trusting("root.crt")))?.code, 10);
  });

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`is not evaded by a ticket of ${version}, while other clients receive tickets`, async () => {
      const tls = await trusting("root.crt");
      const options = { maxVersion: version };
      const tooLong = { ...options, ...clientOptions(chain(cleo, below, between)) };
      const fine = { ...options, ...clientOptions(chain(ben, between)) };
      const visits = await Promise.all(
        [tooLong, fine, tooLong, fine, options, tooLong].map((each) => visit(each, tls)),
      );
      assert.deepEqual(
        visits.map(({ session }) => session !== null),
        [false, true, false, true, true, false],
      );
    });
  }
});

describe("ssl_crl", () => {
  test("makes the listed certificates invalid", async () => {
    const error = await verifyError(anna, trusting("root.crt", "ssl_crl anna.crl;"));
    assert.deepEqual(error, { code: 23, reason: "certificate revoked" });
  });

  test("leaves other certificates valid", async () => {
    assert.equal(await verifyError(anna, trusting("root.crt", "ssl_crl root.crl;")), null);
    const shown = chain(ben, between);
    assert.equal(await verifyError(shown, trusting("root.crt", "ssl_crl irrelevant.crl;")), null);
  });

  test("must cover every certificate of the chain", async () => {
    const error = await verifyError(chain(ben, between), trusting("root.crt", "ssl_crl root.crl;"));
    assert.deepEqual(error, { code: 3, reason: "unable to get certificate CRL" });
  });

  test("with a broken file is refused with the file and line of the directive", async () => {
    await assert.rejects(trusting("root.crt", "ssl_crl broken.crl;"), {
      name: "ConfigError",
      message:
        /^cannot load CRL ".*\/conf\/broken\.crl": PEM_read_bio_X509_CRL\(\) failed \(SSL: .*main\.conf:1$/,
    });
  });
});
