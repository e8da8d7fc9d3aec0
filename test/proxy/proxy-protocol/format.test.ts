import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import crc32c from "crc-32/crc32c.js";
import fc from "fast-check";
import { algorithms } from "../../../proxy/transport/tls/x509/certificate-algorithms.ts";
import { CertificateFacts } from "../../../proxy/transport/tls/x509/certificate-facts.ts";
import { type Address, Input, type TlsSession } from "../../../proxy/transport/index.ts";
import { formatProxyHeader, readProxyHeader } from "../../../proxy/proxy-protocol/index.ts";
import { parseIp } from "../../../shared/address.ts";
import { issue } from "../../support/certificates/authority.ts";
import { selfSigned } from "../../support/certificates/certificate.ts";
import { inputs } from "../../support/property.ts";

const tls: TlsSession = {
  protocol: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  serverName: "mail.example",
  alpn: "imap",
  resumed: false,
  certificate: () => ({ signature: "RSA-SHA256", key: "RSA2048" }),
  verification: null,
};

function at(host: string, port = 143): Address {
  return { host, port };
}

function version1(source: string, destination: string): string {
  return Buffer.from(formatProxyHeader("on", at(source, 5), at(destination), tls)).toString();
}

/** The header in hexadecimal, without the signature and the checksum. */
function version2(source: string, destination: string, session: TlsSession | null): string {
  const header = Buffer.from(formatProxyHeader("v2", at(source, 5), at(destination), session));
  assert.equal(header.subarray(0, 12).toString("latin1"), "\r\n\r\n\0\r\nQUIT\n");
  assert.equal(header.readUInt16BE(14), header.length - 16);
  const sum = header.readInt32BE(header.length - 4);
  header.writeInt32BE(0, header.length - 4);
  assert.equal(sum, crc32c.buf(header));
  return header.subarray(12, -4).toString("hex");
}

function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}

describe("version 1", () => {
  test("is one line of text with two addresses of one family", () => {
    assert.equal(version1("192.0.2.9", "192.0.2.1"), "PROXY TCP4 192.0.2.9 192.0.2.1 5 143\r\n");
    assert.equal(version1("2001:db8::9", "::1"), "PROXY TCP6 2001:db8::9 ::1 5 143\r\n");
    assert.equal(version1("192.0.2.9", "::1"), "PROXY TCP6 ::ffff:192.0.2.9 ::1 5 143\r\n");
    assert.equal(version1("::1", "192.0.2.1"), "PROXY TCP6 ::1 ::ffff:192.0.2.1 5 143\r\n");
  });

  test("writes IPv4-mapped addresses as TCP6, as nginx does", () => {
    assert.equal(
      version1("::ffff:192.0.2.9", "::ffff:192.0.2.1"),
      "PROXY TCP6 ::ffff:192.0.2.9 ::ffff:192.0.2.1 5 143\r\n",
    );
  });

  test("is PROXY UNKNOWN for a client of a Unix socket", () => {
    assert.equal(version1("unix:", "unix:"), "PROXY UNKNOWN\r\n");
  });
});

describe("version 2", () => {
  const checksum = "030004";

  test("ends with a checksum, also without TLS", () => {
    assert.equal(
      version2("192.0.2.9", "192.0.2.1", null),
      `21110013c0000209c00002010005008f${checksum}`,
    );
  });

  test("has the checksum that CRC-32C has of its check value", () => {
    assert.equal(crc32c.str("123456789") >>> 0, 0xe3069283);
  });

  const mapped = (octets: string): string => `${"0".repeat(20)}ffff${octets}`;
  test("writes IPv4 beside IPv6 as IPv6, and two mapped addresses as IPv4", () => {
    assert.equal(
      version2("192.0.2.9", "::1", null),
      `2121002b${mapped("c0000209")}${"0".repeat(31)}10005008f${checksum}`,
    );
    assert.equal(
      version2("::ffff:192.0.2.9", "::ffff:192.0.2.1", null),
      version2("192.0.2.9", "192.0.2.1", null),
    );
  });

  test("is a LOCAL header where a side is a Unix socket", () => {
    assert.equal(version2("unix:", "192.0.2.1", null), `20000007${checksum}`);
    assert.equal(version2("192.0.2.9", "unix:", null), `20000007${checksum}`);
  });

  test("describes TLS: the server name, ALPN, version, cipher and certificate algorithms", () => {
    const facts = [
      "0100000001",
      `210007${hex("TLSv1.3")}`,
      `230016${hex("TLS_AES_256_GCM_SHA384")}`,
      `24000a${hex("RSA-SHA256")}`,
      `250007${hex("RSA2048")}`,
    ].join("");
    const extensions = [
      `02000c${hex("mail.example")}`,
      `010004${hex("imap")}`,
      `20003f${facts}`,
      checksum,
    ].join("");
    assert.equal(
      version2("192.0.2.9", "192.0.2.1", tls),
      `2111006bc0000209c00002010005008f${extensions}`,
    );
  });

  test("describes the client's certificate and its verification result", () => {
    const certificate = new CertificateFacts(
      new X509Certificate(issue("/CN=Zoë/O=x/CN=other").certificate),
    );
    const expired = { code: 10, reason: "certificate has expired" };
    const name = `210007${hex("TLSv1.3")}220004${hex("Zoë")}`;
    const said = (more: Partial<TlsSession>) =>
      version2("192.0.2.9", "192.0.2.1", { ...tls, ...more });
    const held = { certificate, error: null };
    assert.ok(said({ verification: held }).includes(`0700000000${name}`));
    assert.ok(said({ verification: held, resumed: true }).includes(`0500000000${name}`));
    const refused = { certificate, error: expired };
    assert.ok(said({ verification: refused }).includes(`070000000a${name}`));
    const none = { certificate: null, error: null };
    assert.equal(said({ verification: none }), said({}));
  });

  test("omits the fields of TLS that have no value", () => {
    const silent = { ...tls, serverName: null, alpn: null, certificate: () => null };
    const text = version2("192.0.2.9", "192.0.2.1", silent);
    assert.match(text, /^2111....c0000209c00002010005008f2000280100000001210007/);
  });
});

const address = fc.record({
  host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("::1", "::ffff:192.0.2.1")),
  port: fc.integer({ min: 0, max: 65_535 }),
});
for (const version of ["on", "v2"] as const) {
  test(`readProxyHeader reads the same addresses from a header of formatProxyHeader (${version})`, () => {
    fc.assert(
      fc.property(address, address, fc.boolean(), (source, destination, secure) => {
        const input = new Input();
        input.append(formatProxyHeader(version, source, destination, secure ? tls : null));
        const read = readProxyHeader(input).next();
        assert.equal(input.length, 0);
        assert.ok(read.done === true && read.value.kind === "proxied");
        const { proxied } = read.value;
        for (const [ours, theirs] of [
          [source, proxied.source],
          [destination, proxied.destination],
        ] as const) {
          assert.equal(theirs.port, ours.port);
          assert.equal(parseIp(theirs.host)?.toString(), parseIp(ours.host)?.toString());
        }
      }),
      inputs(4),
    );
  });
}

test("a certificate's algorithms have OpenSSL's short names, with the size of the key", async () => {
  const { certificate } = await selfSigned();
  assert.deepEqual(algorithms(new X509Certificate(certificate)), {
    signature: "ecdsa-with-SHA256",
    key: "EC256",
  });
});
