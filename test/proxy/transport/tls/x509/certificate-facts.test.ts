import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CertificateFacts } from "../../../../../proxy/transport/tls/x509/certificate-facts.ts";
import { issue, opensslSays } from "../../../../support/certificates/authority.ts";
import { inputs } from "../../../../support/property.ts";

/** True if OpenSSL parses the certificate. Others end the handshake before this code sees them. */
function isReadable(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function facts(pem: string): CertificateFacts {
  return new CertificateFacts(new X509Certificate(pem));
}

/** The name in the format of nginx, by the openssl program; null if the program fails. */
function nameByOpenssl(pem: string, which: "-subject" | "-issuer" = "-subject"): string | null {
  const output = opensslSays(pem, which, "-nameopt", "RFC2253");
  return output.includes("=") ? output.slice(output.indexOf("=") + 1) : null;
}

const NAMES: Readonly<Record<string, string>> = {
  "one value": "/CN=anna",
  "several, the last one first": "/DC=test/DC=example/C=DE/O=Acme/OU=Post/CN=anna",
  "several values in one RDN": "/O=Acme+OU=Post/CN=anna+UID=1+serialNumber=2",
  "characters beyond ASCII": "/CN=Jürgen Größe €😀/O=日本",
  "special characters of RFC 2253": String.raw`/O=Acme, Inc. \+ "Sons" <x>;y\\z/CN=a=b`,
  "spaces at both ends": "/CN= anna /OU=  /O= ",
  "number signs": "/CN=#anna/OU=a#b/O=#",
  "line ends and other controls": "/CN=a\r\nAuth-Status: OK\t\x01\x7fb",
  "rare attribute types": "/title=Dr/GN=Anna/SN=Post/pseudonym=x/street=Y 1/businessCategory=z",
  "attribute types without a name in RFC 2253":
    "/emailAddress=anna@example.test/unstructuredName=u",
};
for (const [what, subject] of Object.entries(NAMES)) {
  test(`a name with ${what} has openssl's format`, () => {
    const { certificate } = issue(subject);
    assert.equal(facts(certificate).subject, nameByOpenssl(certificate));
  });
}

test("a name without attributes is the empty string", () => {
  assert.equal(facts(issue("/").certificate).subject, "");
});

test("the common name is the first CN in UTF-8, or null", () => {
  const commonName = (subject: string) => facts(issue(subject).certificate).commonName;
  assert.equal(commonName("/CN=Zoë/O=x/CN=other"), "Zo\xc3\xab");
  assert.equal(commonName("/O=x"), null);
  assert.equal(commonName("/"), null);
});

test("an issuer has the same format as a subject", () => {
  const by = issue("/O=Zoë+OU=a/CN=authority", { ca: true });
  const { certificate } = issue("/CN=anna", { by });
  assert.equal(facts(certificate).issuer, nameByOpenssl(certificate, "-issuer"));
  assert.equal(facts(certificate).subject, "CN=anna");
});

describe("a name of any bytes", () => {
  const LENGTH = 24;
  const placeholder = "X".repeat(LENGTH);
  const { certificate } = issue(`/C=DE/O=Acme/OU=before+CN=${placeholder}/OU=behind`);
  const template = new X509Certificate(certificate).raw;
  /** UTF8String, NumericString, PrintableString, T61String, IA5String, VisibleString, UniversalString, BMPString. */
  const tags = [12, 18, 19, 20, 22, 26, 28, 30];
  /** Attribute types; OpenSSL has a short name for the first two. */
  const types = ["\x55\x04\x03", "\x55\x04\x0a", "\x55\x04\x7f", "\x2a\x03\x04"];

  /** The certificate with other bytes and another type for the name. Its signature is no longer valid. */
  function forged(tag: number, type: string, bytes: Uint8Array): string {
    const der = Buffer.from(template);
    for (let at = der.indexOf(placeholder); at !== -1; at = der.indexOf(placeholder)) {
      der.set(bytes, at);
      der[at - 2] = tag;
      der.write(type, at - 5, "latin1");
    }
    const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
  }

  const bytes = fc.oneof(
    fc.uint8Array({ minLength: LENGTH, maxLength: LENGTH }),
    fc
      .string({
        unit: fc.constantFrom(...' +,;<>#"\\=/\r\n\0\x7fa'),
        minLength: LENGTH,
        maxLength: LENGTH,
      })
      .map((text) => Buffer.from(text)),
  );

  test("has openssl's format, and contains no line end", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...tags),
        fc.constantFrom(...types),
        bytes,
        (tag, type, value) => {
          const pem = forged(tag, type, value);
          fc.pre(isReadable(pem));
          const { subject } = facts(pem);
          assert.match(subject, /^[\x20-\x7e]*$/);
          const theirs = nameByOpenssl(pem);
          if (theirs !== null && !/unable|error/.test(theirs)) assert.equal(subject, theirs);
        },
      ),
      inputs(160),
    );
  });
});

describe("a serial number", () => {
  const NUMBERS = ["0", "1", "0x80", "0xabcdef0123456789", "0x00ff", "-5"];
  for (const serial of NUMBERS) {
    test(`of ${serial} has openssl's format`, () => {
      const { certificate } = issue("/CN=anna", { serial });
      assert.equal(facts(certificate).serial, opensslSays(certificate, "-serial").split("=")[1]);
    });
  }
});

test("a fingerprint is SHA-1, in lower case", () => {
  const { certificate } = issue("/CN=anna");
  const [, theirs = ""] = opensslSays(certificate, "-fingerprint", "-sha1").split("=");
  assert.equal(facts(certificate).fingerprint, theirs.replaceAll(":", "").toLowerCase());
});
