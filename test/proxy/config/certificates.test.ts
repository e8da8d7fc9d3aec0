import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type Certificate, selfSigned } from "../../support/certificate.ts";
import { configure, mailBlock, mistake, server } from "../../support/configuration.ts";

let one: Certificate;
let other: Certificate;
let files: Record<string, string>;
before(async () => {
  [one, other] = await Promise.all([selfSigned("one"), selfSigned("other")]);
  files = {
    "one.crt": one.certificate,
    "one.key": one.key,
    "other.crt": other.certificate,
    "other.key": other.key,
    "garbage.pem": "not a certificate",
    "broken.pem": one.certificate.replace(/\n[A-Za-z0-9+/]{10}/, "\n!!!!!!!!!!"),
  };
});

test("pairs are read in order, relative to the configuration", () => {
  const pairs =
    "ssl_certificate one.crt; ssl_certificate_key one.key; ssl_certificate other.crt; ssl_certificate_key other.key;";
  const { keyPairs } = server("starttls on;", pairs, files);
  assert.deepEqual(keyPairs, [one, other]);
});

test("a chain may follow its leaf", () => {
  const chained = { ...files, "chain.crt": `${one.certificate}\n${other.certificate}` };
  const { keyPairs } = server(
    "starttls on;",
    "ssl_certificate chain.crt; ssl_certificate_key one.key;",
    chained,
  );
  assert.equal(keyPairs.length, 1);
});

test("files of servers without TLS are not looked at", () => {
  assert.deepEqual(server("ssl_certificate none.crt; ssl_certificate_key none.key;").keyPairs, []);
});

/** What a server that speaks TLS says, and what is wrong with it. */
const MISTAKES: Record<string, [directives: string, told: RegExp]> = {
  "no certificate": [
    "",
    /^no "ssl_certificate" is defined for the .* directive in \/conf\/main\.conf:1$/,
  ],
  "no key": [
    "ssl_certificate one.crt;",
    /^no "ssl_certificate_key" is defined for the .* directive in \/conf\/main\.conf:1$/,
  ],
  "fewer keys than certificates": [
    "ssl_certificate one.crt; ssl_certificate_key one.key; ssl_certificate other.crt;",
    /^no "ssl_certificate_key" is defined for certificate "\/conf\/other\.crt" and the .* directive in /,
  ],
  "a missing certificate": [
    "ssl_certificate none.crt; ssl_certificate_key one.key;",
    /^cannot load certificate "\/conf\/none\.crt": .*No such file or directory/,
  ],
  "a missing key": [
    "ssl_certificate one.crt; ssl_certificate_key none.key;",
    /^cannot load certificate key "\/conf\/none\.key": .*No such file or directory/,
  ],
  "a certificate that is not PEM": [
    "ssl_certificate garbage.pem; ssl_certificate_key one.key;",
    /^cannot load certificate "\/conf\/garbage\.pem": ./,
  ],
  "a certificate that is damaged": [
    "ssl_certificate broken.pem; ssl_certificate_key one.key;",
    /^cannot load certificate "\/conf\/broken\.pem": ./,
  ],
  "a key that is not PEM": [
    "ssl_certificate one.crt; ssl_certificate_key garbage.pem;",
    /^cannot load certificate key "\/conf\/garbage\.pem": ./,
  ],
  "a certificate instead of the key": [
    "ssl_certificate one.crt; ssl_certificate_key one.crt;",
    /^cannot load certificate key "\/conf\/one\.crt": ./,
  ],
  "somebody else's key": [
    "ssl_certificate one.crt; ssl_certificate_key other.key;",
    /^SSL_CTX_use_PrivateKey\("\/conf\/other\.key"\) failed \(.*key values mismatch/,
  ],
};
for (const [name, [directives, told]] of Object.entries(MISTAKES)) {
  test(`${name} is told, for starttls and for listen ... ssl`, () => {
    const startTls = mistake(mailBlock("starttls on;", directives), files);
    assert.match(startTls, told);
    const listen = mistake(mailBlock("listen 993 ssl;", directives), files);
    assert.match(listen, told);
    for (const [text, user] of [
      [startTls, '"starttls"'],
      [listen, '"listen ... ssl"'],
    ] as const) {
      if (text.startsWith("no ")) assert.ok(text.includes(`the ${user} directive`), text);
    }
  });
}

test("a chain or key of Windows, with CRLF, is as good", () => {
  const windows = {
    "a.crt": one.certificate.replaceAll("\n", "\r\n"),
    "a.key": one.key.replaceAll("\n", "\r\n"),
  };
  const settings = configure(
    mailBlock("starttls only;", "ssl_certificate a.crt; ssl_certificate_key a.key;"),
    windows,
  );
  assert.equal(settings.servers[0]?.keyPairs.length, 1);
});
