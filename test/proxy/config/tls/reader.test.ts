import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chain, issue, pairFiles, revoke } from "../../../support/certificates/authority.ts";
import { configure, mailBlock, mistake, server } from "../../../support/proxy/configuration.ts";
import { serverTlsOptions } from "../../../support/transport/tls-options.ts";

const authority = issue("/CN=authority", { ca: true });
const one = issue("/CN=one", { by: authority });
const other = issue("/CN=other");
const rsa = issue("/CN=rsa", { rsa: true });
const files = {
  ...pairFiles({ one, other, rsa }),
  "ca.crt": authority.certificate,
  "ca.crl": revoke(authority),
  garbage: "not a certificate",
  "broken.pem": one.certificate.replace(/\n[A-Za-z0-9+/]{10}/, "\n!!!!!!!!!!"),
};
const PAIR = "ssl_certificate one.crt; ssl_certificate_key one.key;";

/** The default certificates of a server that speaks TLS. */
function pairs(directives: string, more: Readonly<Record<string, string>> = {}) {
  return serverTlsOptions("starttls on;", directives, { ...files, ...more })?.renewable.default;
}

describe("certificates and keys", () => {
  test("are read relative to the configuration", () => {
    assert.deepEqual(pairs(PAIR), [one]);
  });

  test("of several key types belong together, the n-th with the n-th", () => {
    const rsaToo = "ssl_certificate rsa.crt; ssl_certificate_key rsa.key;";
    assert.deepEqual(pairs(`${rsaToo} ${PAIR}`), [rsa, one]);
    assert.deepEqual(
      pairs(
        "ssl_certificate rsa.crt; ssl_certificate one.crt; ssl_certificate_key rsa.key; ssl_certificate_key one.key;",
      ),
      [rsa, one],
    );
  });

  test("of one key type are for clients that ask for their names, the first for all others", () => {
    const again = "ssl_certificate other.crt; ssl_certificate_key other.key;";
    assert.deepEqual(pairs(`${PAIR} ${again}`), [one]);
    const { notices } = configure(mailBlock("starttls on;", `${PAIR} ${again}`), files);
    assert.match(
      notices.join("\n"),
      /shows the first of several .*, where nginx shows the last.*main\.conf:1$/,
    );
    const { notices: none } = configure(mailBlock("starttls on;", PAIR), files);
    assert.deepEqual(none, []);
  });

  test("may be followed by their chain, with text in between", () => {
    const { certificate } = chain(one, authority);
    const bundle = `Bag Attributes\n${one.certificate}\n\nsubject=CN = authority\n${authority.certificate}`;
    const read = pairs("ssl_certificate bundle; ssl_certificate_key one.key;", { bundle });
    assert.deepEqual(read, [{ certificate, key: one.key }]);
  });

  test("may stand in one file, or in the configuration itself", () => {
    const both = { both: `${one.certificate}${one.key}` };
    assert.deepEqual(pairs("ssl_certificate both; ssl_certificate_key both;", both), [one]);
    const data = `ssl_certificate "data:${one.certificate}"; ssl_certificate_key "data:${one.key}";`;
    assert.deepEqual(pairs(data), [one]);
  });

  test("may have CRLF, as on Windows", () => {
    const windows = {
      "a.crt": one.certificate.replaceAll("\n", "\r\n"),
      "a.key": one.key.replaceAll("\n", "\r\n"),
    };
    assert.equal(pairs("ssl_certificate a.crt; ssl_certificate_key a.key;", windows)?.length, 1);
  });

  test("are not read if the server has no TLS", () => {
    const nowhere =
      "ssl_certificate no; ssl_certificate_key no; ssl_dhparam no; ssl_crl no; ssl_session_ticket_key no; ssl_conf_command No no;";
    assert.equal(server(nowhere).tls, null);
    assert.match(mistake(mailBlock("ssl_password_file no;")), /^open\(\) "\/conf\/no" failed/);
  });

  test("are decrypted with one of several pass phrases", async () => {
    const { createPrivateKey } = await import("node:crypto");
    const locked = createPrivateKey(one.key).export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "s3cret",
    });
    const more = { "locked.key": locked, phrases: "wrong\r\n\ns3cret\n" };
    const directives = "ssl_certificate one.crt; ssl_certificate_key locked.key;";
    assert.deepEqual(pairs(`${directives} ssl_password_file phrases;`, more), [one]);
    assert.match(
      mistake(mailBlock("starttls on;", directives), { ...files, ...more }),
      /^cannot load certificate key "\/conf\/locked\.key": PEM_read_bio_PrivateKey\(\) failed \(SSL: .*no pass phrase opens it/,
    );
  });
});

const NO_FILE =
  "(SSL: error:80000002:system library::No such file or directory:calling fopen(/conf/none, r))";
const NO_START = "(SSL: error:0480006C:PEM routines::no start line";

/** nginx's errors about the directives of a server that speaks TLS, all in line 1. */
const MISTAKES: Readonly<Record<string, string>> = {
  "": 'no "ssl_certificate" is defined for the USER directive in /conf/main.conf:1',
  "ssl_certificate one.crt;":
    'no "ssl_certificate_key" is defined for the USER directive in /conf/main.conf:1',
  [`${PAIR} ssl_certificate other.crt;`]:
    'no "ssl_certificate_key" is defined for certificate "other.crt" and the USER directive in /conf/main.conf:1',
  "ssl_certificate none; ssl_certificate_key one.key;": `cannot load certificate "/conf/none": BIO_new_file() failed ${NO_FILE}`,
  "ssl_certificate garbage; ssl_certificate_key one.key;": `cannot load certificate "/conf/garbage": PEM_read_bio_X509_AUX() failed ${NO_START}`,
  "ssl_certificate broken.pem; ssl_certificate_key one.key;":
    'cannot load certificate "/conf/broken.pem": PEM_read_bio_X509_AUX() failed (SSL: error:04800064:PEM routines::bad base64 decode)',
  "ssl_certificate data:x; ssl_certificate_key one.key;": `cannot load certificate "data:...": PEM_read_bio_X509_AUX() failed ${NO_START}`,
  "ssl_certificate one.crt; ssl_certificate_key none;": `cannot load certificate key "/conf/none": BIO_new_file() failed ${NO_FILE}`,
  "ssl_certificate one.crt; ssl_certificate_key garbage;":
    'cannot load certificate key "/conf/garbage": PEM_read_bio_PrivateKey() failed (SSL: error:1E08010C:DECODER routines::unsupported)',
  "ssl_certificate one.crt; ssl_certificate_key one.crt;":
    'cannot load certificate key "/conf/one.crt": PEM_read_bio_PrivateKey() failed (SSL: ',
  "ssl_certificate one.crt; ssl_certificate_key data:s3cret;":
    'cannot load certificate key "data:...": PEM_read_bio_PrivateKey() failed (SSL: ',
  "ssl_certificate one.crt; ssl_certificate_key engine:pkcs11:k;":
    'cannot load certificate key "engine:pkcs11:k": loading "engine:..." certificate keys is not supported in ',
  "ssl_certificate one.crt; ssl_certificate_key store:pkcs11:k;":
    'cannot load certificate key "store:pkcs11:k": loading "store:..." certificate keys is not supported in ',
  "ssl_certificate one.crt; ssl_certificate_key other.key;":
    'SSL_CTX_use_PrivateKey("/conf/other.key") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)',
  "ssl_certificate one.crt; ssl_certificate_key rsa.key;":
    'SSL_CTX_use_PrivateKey("/conf/rsa.key") failed (SSL: error:05800073:x509 certificate routines::key type mismatch)',
  [`${PAIR} ssl_dhparam none;`]: `BIO_new_file("/conf/none") failed ${NO_FILE}`,
  [`${PAIR} ssl_dhparam garbage;`]: `PEM_read_bio_DHparams("/conf/garbage") failed ${NO_START}:Expecting: DH PARAMETERS)`,
  [`${PAIR} ssl_verify_client on;`]:
    "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client in /conf/main.conf:1",
  [`${PAIR} ssl_verify_client optional;`]:
    "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client in /conf/main.conf:1",
  [`${PAIR} ssl_client_certificate none;`]: `cannot load certificate "/conf/none": BIO_new_file() failed ${NO_FILE}`,
  [`${PAIR} ssl_trusted_certificate garbage;`]: `cannot load certificate "/conf/garbage": PEM_read_bio_X509_AUX() failed ${NO_START}`,
  [`${PAIR} ssl_crl none;`]: `cannot load CRL "/conf/none": BIO_new_file() failed ${NO_FILE}`,
  [`${PAIR} ssl_crl garbage;`]: `cannot load CRL "/conf/garbage": PEM_read_bio_X509_CRL() failed ${NO_START}:Expecting: X509 CRL)`,
  [`${PAIR} ssl_session_ticket_key none;`]:
    'open() "/conf/none" failed (2: No such file or directory) in /conf/main.conf:1',
  [`${PAIR} ssl_session_ticket_key garbage;`]:
    '"/conf/garbage" must be 48 or 80 bytes in /conf/main.conf:1',
};
for (const [directives, expected] of Object.entries(MISTAKES)) {
  test(`"${directives}" is refused, with starttls and with listen ... ssl`, () => {
    const users = { "starttls on;": '"starttls"', "listen 993 ssl;": '"listen ... ssl"' };
    for (const [use, user] of Object.entries(users)) {
      const message = mistake(mailBlock(use, directives), files);
      assert.ok(message.startsWith(expected.replace("USER", user)), message);
      assert.ok(message.endsWith(" in /conf/main.conf:1"), message);
    }
  });
}

test("an error names the place of its directive, also in the outer block", () => {
  const text = `mail {\nauth_http h; starttls on;\nssl_certificate one.crt;\nssl_certificate_key other.key;\nserver { listen 143; } }`;
  assert.match(mistake(text, files), / in \/conf\/main\.conf:4$/);
  const none = "mail { auth_http h;\n starttls on;\n server { listen 143; } }";
  assert.match(mistake(none), /^no "ssl_certificate" is .* in \/conf\/main\.conf:2$/);
});

test("an error names listen ... ssl if the server has starttls as well", () => {
  assert.match(mistake(mailBlock("starttls on; listen 993 ssl;")), /"listen \.\.\. ssl"/);
});

describe("client certificates", () => {
  const clients = (directives: string) =>
    serverTlsOptions("starttls on;", `${PAIR} ${directives}`, files)?.options.clients;

  test("are not asked for by default", () => {
    assert.equal(clients("ssl_client_certificate ca.crt;"), null);
  });

  test("are checked against all authorities of both directives", () => {
    const asked = clients(
      "ssl_verify_client ON; ssl_client_certificate ca.crt; ssl_trusted_certificate other.crt; ssl_verify_depth 3; ssl_crl ca.crl;",
    );
    assert.equal(asked?.mode, "on");
    assert.equal(asked?.depth, 3);
    assert.deepEqual(asked?.authorities, [authority.certificate, other.certificate]);
    assert.deepEqual(asked?.revocations, [files["ca.crl"]]);
  });

  test("need no authority with optional_no_ca", () => {
    const asked = clients("ssl_verify_client optional_no_ca;");
    assert.deepEqual(asked, {
      mode: "optional_no_ca",
      depth: 1,
      authorities: [],
      revocations: null,
    });
  });
});

describe("session ticket keys", () => {
  const [name, aes, hmac] = ["n", "a", "h"].map((letter) => Buffer.alloc(16, letter));
  const keys = (key: Uint8Array) =>
    configure(mailBlock("starttls on;", `${PAIR} ssl_session_ticket_key key;`), { ...files, key });

  test("of 48 bytes are name, AES key and HMAC key, as in nginx", () => {
    const { certificates, notices } = keys(Buffer.concat([name!, aes!, hmac!]));
    const [key] = certificates.material.servers[0]?.renewable.ticketKeys ?? [];
    assert.equal(Buffer.from(key ?? []).toString(), Buffer.concat([name!, hmac!, aes!]).toString());
    assert.deepEqual(notices, []);
  });

  test("of 80 bytes keep their name and give shorter keys, with a notice", () => {
    const long = Buffer.concat([name!, Buffer.alloc(64, "s")]);
    const { certificates, notices } = keys(long);
    const [key] = certificates.material.servers[0]?.renewable.ticketKeys ?? [];
    assert.equal(key?.length, 48);
    assert.deepEqual(Buffer.from(key.subarray(0, 16)), name);
    assert.notDeepEqual(Buffer.from(key.subarray(16, 32)), long.subarray(16, 32));
    assert.match(notices.join(), /^"ssl_session_ticket_key" of 80 bytes .* AES-128/);
    const again = keys(long).certificates.material.servers[0]?.renewable.ticketKeys;
    assert.deepEqual(again, [key]);
  });
});

describe("ssl_session_cache", () => {
  const MISTAKEN: Readonly<Record<string, string>> = {
    "ssl_session_cache shared:a:4k;": 'session cache "shared:a:4k" is too small in ',
    "ssl_session_cache shared:a:;": 'invalid session cache "shared:a:" in ',
    "ssl_session_cache builtin:x;": 'invalid session cache "builtin:x" in ',
    "ssl_session_cache never;": 'invalid session cache "never" in ',
    "ssl_session_cache shared:a:1m; ssl_session_cache shared:a:2m;":
      'the size 2097152 of shared memory zone "a" conflicts with already declared size 1048576 in ',
  };
  for (const [directives, expected] of Object.entries(MISTAKEN)) {
    test(`"${directives}" is refused`, () => {
      const message = mistake(mailBlock("", directives));
      assert.ok(message.startsWith(expected), message);
    });
  }

  test("may name one zone many times, with one size, in all servers", () => {
    const each = (port: number, size: string) =>
      `server { listen ${port}; ssl_session_cache shared:mail:${size}; }`;
    const mail = (servers: string) => `mail { auth_http h; ${servers} }`;
    assert.equal(configure(mail(each(143, "1m") + each(993, "1024k"))).servers.length, 2);
    assert.match(mistake(mail(each(143, "1m") + each(993, "2m"))), /^the size 2097152 of /);
  });
});

test("a notice names the TLS versions that OpenSSL withholds, as the file has them", () => {
  const notices = (protocols: string) =>
    configure(mailBlock("", `ssl_protocols ${protocols};`)).notices;
  assert.deepEqual(notices("TLSv1.2 TLSv1.3"), []);
  assert.match(notices("SSLv3 TLSv1.2").join(), /^"ssl_protocols" cannot enable SSLv3: /);
  assert.match(
    notices("TLSv1 tlsv1.1").join(),
    / enables TLSv1, tlsv1\.1 only with "@SECLEVEL=0" in ssl_ciphers: /,
  );
});

test("a notice says where sessions are kept in another way than in nginx", () => {
  const notices = (directives: string) => configure(mailBlock("", directives)).notices.join();
  assert.equal(notices("ssl_session_cache none; ssl_session_tickets on;"), "");
  assert.match(
    notices("ssl_session_cache shared:a:1m;"),
    /^"ssl_session_cache" keeps sessions in tickets/,
  );
  assert.match(
    notices("ssl_session_tickets off;"),
    /^"ssl_session_tickets" stays on while ssl_session_cache stores/,
  );
});

test("servers with equal directives share one result", () => {
  const block = (port: number, more: string) =>
    `server { listen ${port} ssl; protocol imap; ${more} }`;
  const { servers } = configure(
    `mail { auth_http h; ${PAIR} ${block(1, "")} ${block(2, "timeout 1s;")} ${block(3, PAIR)} ${block(4, "ssl_protocols TLSv1.2;")} }`,
    files,
  );
  const [first, second, third, fourth] = servers.map(({ tls }) => tls);
  assert.equal(second, first);
  assert.equal(third, first);
  assert.notEqual(fourth, first);
});

test("pass phrases are not part of the settings, nor of the material for workers", () => {
  const { certificates, ...settings } = configure(
    mailBlock("starttls on; ssl_password_file garbage;", PAIR),
    files,
  );
  assert.ok(!JSON.stringify([settings, certificates.material]).includes(files.garbage));
});
