// TLS as a client: `proxy_ssl_*` towards upstreams, `auth_http_ssl_*` towards lookup endpoints.
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { describe, test } from "node:test";
import { chain, issue, revoke } from "../../../support/certificates/authority.ts";
import { configure, mailBlock, mistake, server } from "../../../support/proxy/configuration.ts";
import { lookupTlsOptions, proxyTlsOptions } from "../../../support/transport/tls-options.ts";

const authority = issue("/CN=authority", { ca: true });
const own = issue("/CN=own", { by: authority });
const other = issue("/CN=other");
const rsa = issue("/CN=rsa", { rsa: true });
const files = {
  "own.crt": own.certificate,
  "own.key": own.key,
  "other.crt": other.certificate,
  "other.key": other.key,
  "rsa.key": rsa.key,
  "ca.crt": authority.certificate,
  "both.crt": chain(authority, other).certificate,
  "ca.crl": revoke(authority),
  "locked.key": createPrivateKey(own.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "s3cret",
  }),
  phrases: "wrong\ns3cret\n",
  garbage: "not a certificate",
};
const PAIR = "proxy_ssl_certificate own.crt; proxy_ssl_certificate_key own.key;";
const LOOKUP_PAIR = PAIR.replaceAll("proxy_ssl", "auth_http_ssl");
const HTTPS = "auth_http https://127.0.0.1/;";

const proxyTls = (inServer: string, inMail = "") => proxyTlsOptions(inServer, inMail, files);
const lookupTls = (inServer: string) => lookupTlsOptions(inServer, "", files);

describe("proxy_ssl", () => {
  test("is on, off or starttls in any case, and by default left to the port", () => {
    assert.equal(server("").proxy_ssl, null);
    for (const word of ["on", "off", "starttls"] as const) {
      assert.equal(server(`proxy_ssl ${word};`).proxy_ssl, word);
      assert.equal(server(`proxy_ssl ${word.toUpperCase()};`).proxy_ssl, word);
    }
    assert.equal(server("proxy_ssl off;", "proxy_ssl on;").proxy_ssl, "off");
    assert.match(
      mistake(mailBlock("proxy_ssl yes;")),
      /^invalid value "yes" in \/conf\/main\.conf:1$/,
    );
  });

  test("may have a name to verify", () => {
    assert.equal(server("").proxy_ssl_name, null);
    assert.equal(server("proxy_ssl_name mail.test;").proxy_ssl_name, "mail.test");
  });
});

test("by default, certificates are verified and sessions are resumed", () => {
  const { verify, trusted, revocations, serverName, sessionReuse, keyPairs, parameters } =
    proxyTls("");
  assert.deepEqual(
    { verify, trusted, revocations, serverName, sessionReuse },
    { verify: true, trusted: null, revocations: null, serverName: true, sessionReuse: true },
  );
  assert.deepEqual(keyPairs, []);
  assert.equal(parameters?.ciphers, "DEFAULT");
});

test("each parameter may be set in the outer block, and reset in the inner one", () => {
  const said = `${PAIR} proxy_ssl_verify off; proxy_ssl_trusted_certificate both.crt; proxy_ssl_crl ca.crl;
    proxy_ssl_server_name off; proxy_ssl_session_reuse off; proxy_ssl_ciphers HIGH;`;
  for (const settings of [proxyTls(said), proxyTls("", said)]) {
    const { verify, trusted, revocations, serverName, sessionReuse, keyPairs, parameters } =
      settings;
    assert.deepEqual([verify, serverName, sessionReuse], [false, false, false]);
    assert.equal(trusted, files["both.crt"]);
    assert.deepEqual(revocations, [files["ca.crl"]]);
    assert.deepEqual(keyPairs, [own]);
    assert.equal(parameters?.ciphers, "HIGH");
  }
  const back = `proxy_ssl_certificate ""; proxy_ssl_trusted_certificate ""; proxy_ssl_crl "";`;
  const { trusted, revocations, keyPairs } = proxyTls(back, said);
  assert.deepEqual([trusted, revocations, keyPairs], [null, null, []]);
});

test("the pass phrases of proxy_ssl_password_file decrypt keys", () => {
  const locked = PAIR.replace("own.key", "locked.key");
  const { keyPairs } = proxyTls(`${locked} proxy_ssl_password_file phrases;`);
  assert.deepEqual(keyPairs, [own]);
  assert.match(
    mistake(mailBlock(locked), files),
    /^cannot load certificate key "\/conf\/locked\.key": .*no pass phrase opens it\) in \/conf\/main\.conf:1$/,
  );
});

test("a certificate may stand in the configuration itself", () => {
  const pair = `proxy_ssl_certificate "data:${own.certificate}"; proxy_ssl_certificate_key "data:${own.key}";`;
  assert.deepEqual(proxyTls(pair).keyPairs, [own]);
});

const NONE =
  "BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory:calling fopen(/conf/none, r))";
const NO_START = "(SSL: error:0480006C:PEM routines::no start line";

/** Directives of a server with nginx's error about them; FAMILY stands for `proxy` and `auth_http`. */
const MISTAKES: Readonly<Record<string, string>> = {
  "FAMILY_ssl_certificate own.crt;":
    'no "FAMILY_ssl_certificate_key" is defined for certificate "own.crt" in /conf/main.conf:1',
  'FAMILY_ssl_certificate "data:s3cret";':
    'no "FAMILY_ssl_certificate_key" is defined for certificate "data:..." in /conf/main.conf:1',
  "FAMILY_ssl_certificate none; FAMILY_ssl_certificate_key own.key;": `cannot load certificate "/conf/none": ${NONE}`,
  "FAMILY_ssl_certificate garbage; FAMILY_ssl_certificate_key own.key;": `cannot load certificate "/conf/garbage": PEM_read_bio_X509_AUX() failed ${NO_START}`,
  "FAMILY_ssl_certificate own.crt; FAMILY_ssl_certificate_key none;": `cannot load certificate key "/conf/none": ${NONE}`,
  "FAMILY_ssl_certificate own.crt; FAMILY_ssl_certificate_key garbage;":
    'cannot load certificate key "/conf/garbage": PEM_read_bio_PrivateKey() failed (SSL: ',
  "FAMILY_ssl_certificate own.crt; FAMILY_ssl_certificate_key other.key;":
    'SSL_CTX_use_PrivateKey("/conf/other.key") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)',
  "FAMILY_ssl_certificate own.crt; FAMILY_ssl_certificate_key rsa.key;":
    'SSL_CTX_use_PrivateKey("/conf/rsa.key") failed (SSL: error:05800073:x509 certificate routines::key type mismatch)',
  "FAMILY_ssl_certificate own.crt; FAMILY_ssl_certificate own.crt;":
    '"FAMILY_ssl_certificate" directive is duplicate in ',
  "FAMILY_ssl_verify yes;":
    'invalid value "yes" in "FAMILY_ssl_verify" directive, it must be "on" or "off" in ',
};
/** Mistakes that only `proxy_ssl_*`, or only `auth_http_trusted_certificate`, can have. */
const MORE: Readonly<Record<string, string>> = {
  "proxy_ssl_trusted_certificate none;": `cannot load certificate "/conf/none": ${NONE}`,
  "proxy_ssl_trusted_certificate garbage;": `cannot load certificate "/conf/garbage": PEM_read_bio_X509_AUX() failed ${NO_START}`,
  "auth_http_trusted_certificate none;": `cannot load certificate "/conf/none": ${NONE}`,
  "auth_http_trusted_certificate garbage;": `cannot load certificate "/conf/garbage": PEM_read_bio_X509_AUX() failed ${NO_START}`,
  "proxy_ssl_crl none;": `cannot load CRL "/conf/none": ${NONE}`,
  "proxy_ssl_crl garbage;": `cannot load CRL "/conf/garbage": PEM_read_bio_X509_CRL() failed ${NO_START}:Expecting: X509 CRL)`,
  "proxy_ssl_password_file none;": 'open() "/conf/none" failed (2: No such file or directory) in ',
  "proxy_ssl_protocols TLSv9;": 'invalid value "TLSv9" in ',
  "proxy_ssl_server_name maybe;":
    'invalid value "maybe" in "proxy_ssl_server_name" directive, it must be "on" or "off" in ',
  "proxy_ssl_session_reuse maybe;":
    'invalid value "maybe" in "proxy_ssl_session_reuse" directive, it must be "on" or "off" in ',
  "proxy_ssl_conf_command Foo bar;":
    'SSL_CONF_cmd("Foo", "bar") failed (SSL: error:0A000182:SSL routines::unknown cmd name:cmd=Foo) in ',
  "proxy_ssl_name a b;": 'invalid number of arguments in "proxy_ssl_name" directive in ',
};
const families = ["proxy", "auth_http"].flatMap((family) =>
  Object.entries(MISTAKES).map((pair) => pair.map((text) => text.replaceAll("FAMILY", family))),
);
for (const [directives = "", told = ""] of [...families, ...Object.entries(MORE)]) {
  test(`"${directives}" gets nginx's error in either block`, () => {
    const texts = [mailBlock(`${HTTPS} ${directives}`), mailBlock(HTTPS, directives)];
    for (const text of texts) {
      const said = mistake(text, files);
      assert.ok(said.startsWith(told), said);
      assert.ok(said.endsWith(" in /conf/main.conf:1"), said);
    }
  });
}

test("the error has the place of the directive", () => {
  const text = `mail {\nauth_http h;\nproxy_ssl_certificate own.crt;\nproxy_ssl_certificate_key other.key;\nserver { listen 143; } }`;
  assert.match(mistake(text, files), / in \/conf\/main\.conf:4$/);
  const alone = `mail {\nauth_http h;\nproxy_ssl_certificate own.crt;\nserver {\n listen 143; } }`;
  assert.match(mistake(alone, files), / in \/conf\/main\.conf:3$/);
});

describe("a value that only OpenSSL checks", () => {
  const REFUSED: Readonly<Record<string, string>> = {
    "proxy_ssl_ciphers FOO;":
      'SSL_CTX_set_cipher_list("FOO") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
    "proxy_ssl_conf_command Ciphersuites TLS_FOO;":
      'SSL_CONF_cmd("Ciphersuites", "TLS_FOO") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
    "proxy_ssl_conf_command Groups foo;":
      'SSL_CONF_cmd("Groups", "foo") failed (SSL: error:0A080106:SSL routines::passed invalid argument)',
    "proxy_ssl_crl broken.crl;":
      'cannot load CRL "/conf/broken.crl": PEM_read_bio_X509_CRL() failed (SSL: ',
  };
  const broken = files["ca.crl"].replace(/\n[A-Za-z0-9+/]{10}/, "\n!!!!!!!!!!");
  for (const [directives, told] of Object.entries(REFUSED)) {
    test(`"${directives}" gets nginx's error, with its place`, () => {
      const message = mistake(mailBlock(directives), { ...files, "broken.crl": broken });
      assert.ok(message.startsWith(told), message);
      assert.match(message, /\/main\.conf:1$/);
    });
  }
});

test("a notice names the TLS versions that OpenSSL withholds, as the file has them", () => {
  const said = configure(mailBlock("proxy_ssl_protocols TLSv1 TLSv1.2;")).notices.join();
  assert.match(
    said,
    /^"proxy_ssl_protocols" enables TLSv1 only with "@SECLEVEL=0" in proxy_ssl_ciphers: /,
  );
});

describe("TLS to the lookup endpoint", () => {
  test("is read for https:// only, and its files are not opened otherwise", () => {
    assert.equal(
      lookupTls("auth_http_ssl_certificate none; auth_http_trusted_certificate none;"),
      null,
    );
    assert.equal(lookupTls(HTTPS)?.verify, true);
  });

  test("may trust other authorities, verify nothing, and send a certificate", () => {
    const said = lookupTls(
      `${HTTPS} auth_http_ssl_verify off; auth_http_trusted_certificate ca.crt; ${LOOKUP_PAIR}`,
    );
    assert.deepEqual([said?.verify, said?.trusted], [false, files["ca.crt"]]);
    assert.deepEqual(said?.keyPairs, [own]);
  });
});

test("servers with equal directives share one result", () => {
  const block = (port: number, more: string) => `server { listen ${port}; protocol imap; ${more} }`;
  const blocks = [
    block(1, ""),
    block(2, "timeout 1s;"),
    block(3, PAIR),
    block(4, "proxy_ssl_verify off;"),
  ];
  const { servers } = configure(`mail { auth_http h; ${PAIR} ${blocks.join(" ")} }`, files);
  const [first, second, third, fourth] = servers.map((each) => each.proxyTls);
  assert.equal(second, first);
  assert.equal(third, first);
  assert.notEqual(fourth, first);
});

test("pass phrases are not part of the settings", () => {
  const { certificates, ...settings } = configure(
    mailBlock(`${PAIR} proxy_ssl_password_file phrases;`),
    files,
  );
  assert.ok(!JSON.stringify([settings, certificates.material]).includes("s3cret"));
});
