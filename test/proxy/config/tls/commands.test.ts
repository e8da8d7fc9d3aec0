import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServerMaterial } from "../../../../proxy/certificates/index.ts";
import type { KeyPair, ServerTlsOptions } from "../../../../proxy/transport/index.ts";
import { BIT } from "../../../../proxy/config/tls/option-bits.ts";
import { dhparam, issue, pairFiles } from "../../../support/certificates/authority.ts";
import { configure, mailBlock, mistake } from "../../../support/proxy/configuration.ts";

const one = issue("/CN=one");
const other = issue("/CN=other");
const rsa = issue("/CN=rsa", { rsa: true });
const files = { ...pairFiles({ one, other, rsa }), "dh.pem": dhparam() };
const PAIR = "ssl_certificate one.crt; ssl_certificate_key one.key;";

function text(...commands: readonly string[]): string {
  const directives = commands.map((command) => `ssl_conf_command ${command};`);
  return mailBlock("starttls on;", `${PAIR} ${directives.join(" ")}`);
}

function settings(...commands: readonly string[]): ServerTlsOptions {
  return material(...commands).options;
}

/** The certificates that clients get. */
function pairs(...commands: readonly string[]): readonly KeyPair[] {
  return material(...commands).renewable.default;
}

function material(...commands: readonly string[]): ServerMaterial {
  return configure(text(...commands), files).certificates.material.servers[0]!;
}

/** The names of the bits that are set. */
function options(...commands: readonly string[]): readonly string[] {
  const { bits } = settings(...commands);
  return Object.entries(BIT).flatMap(([name, bit]) => (bits.includes(bit) ? name : []));
}

const usual = options();

describe("ssl_conf_command", () => {
  const OPTIONS: Readonly<Record<string, string>> = {
    "Options -SessionTicket": "NO_TICKET",
    "options -sessionTICKET": "NO_TICKET",
    "Options ServerPreference": "CIPHER_SERVER_PREFERENCE",
    "Options +PrioritizeChaCha": "PRIORITIZE_CHACHA",
    "Options -EncryptThenMac": "NO_ENCRYPT_THEN_MAC",
    "Options PreferNoDHEKEX": "PREFER_NO_DHE_KEX",
    "Options -ExtendedMasterSecret": "NO_EXTENDED_MASTER_SECRET",
    "Protocol -TLSv1.2": "NO_TLSv1_2",
    "MinProtocol TLSv1.3": "NO_TLSv1_2",
    "MaxProtocol TLSv1.2": "NO_TLSv1_3",
  };
  for (const [command, option] of Object.entries(OPTIONS)) {
    test(`"${command}" sets ${option}`, () => {
      assert.ok(!usual.includes(option));
      assert.deepEqual(
        options(command).filter((each) => !usual.includes(each)),
        [option],
      );
    });
  }

  test("is applied in order, so that the last one counts", () => {
    assert.deepEqual(
      options(
        'Options "-SessionTicket, ServerPreference"',
        "Options SessionTicket,-ServerPreference",
      ),
      usual,
    );
    assert.equal(settings("CipherString HIGH", "cipherstring DEFAULT").ciphers, "DEFAULT");
    assert.deepEqual(options("MinProtocol TLSv1.3", "MinProtocol None"), usual);
    assert.deepEqual(options("Protocol -ALL", "Protocol TLSv1.2,TLSv1.3"), usual);
  });

  test("overrides the other directives, wherever it stands", () => {
    const {
      groups,
      ciphers,
      ciphersuites,
      signatureAlgorithms,
      dhparam: dh,
    } = settings(
      "Ciphersuites TLS_AES_128_GCM_SHA256",
      "CipherString ECDHE-RSA-AES128-GCM-SHA256",
      "Groups P-256:X25519",
      "SignatureAlgorithms ECDSA+SHA256",
      "DHParameters dh.pem",
    );
    assert.equal(ciphersuites, "TLS_AES_128_GCM_SHA256");
    assert.equal(ciphers, "ECDHE-RSA-AES128-GCM-SHA256");
    assert.equal(groups, "P-256:X25519");
    assert.equal(signatureAlgorithms, "ECDSA+SHA256");
    assert.equal(dh, files["dh.pem"]);
    assert.equal(settings("Curves P-384").groups, "P-384");
    assert.equal(settings("ECDHParameters +Automatic").groups, "auto");
    assert.equal(settings("ECDHParameters P-384").groups, "P-384");
  });

  test("replaces a certificate and its key, or adds one with a key of another type", () => {
    assert.deepEqual(pairs("Certificate other.crt", "PrivateKey other.key"), [other]);
    assert.deepEqual(pairs("Certificate rsa.crt", "PrivateKey rsa.key"), [one, rsa]);
    assert.deepEqual(pairs("Certificate one.crt"), [one]);
  });

  const MISTAKES: Readonly<Record<string, string>> = {
    "Foo bar": "error:0A000182:SSL routines::unknown cmd name:cmd=Foo",
    "constructor bar": "error:0A000182:SSL routines::unknown cmd name:cmd=constructor",
    "no_ssl3 1": "error:0A000182:SSL routines::unknown cmd name:cmd=no_ssl3",
    "Options Foo": "error:0A000180:SSL routines::bad value:cmd=Options, value=Foo",
    "Options -toString": "error:0A000180:SSL routines::bad value:cmd=Options, value=-toString",
    "Protocol TLSv9": "error:0A000180:SSL routines::bad value:cmd=Protocol, value=TLSv9",
    "MinProtocol tlsv1.2": "error:0A000180:SSL routines::bad value:cmd=MinProtocol, value=tlsv1.2",
    "MaxProtocol DTLSv1": "error:0A000180:SSL routines::bad value:cmd=MaxProtocol, value=DTLSv1",
  };
  for (const [command, why] of Object.entries(MISTAKES)) {
    test(`"${command}" is refused in OpenSSL's words`, () => {
      const [name, value] = command.split(" ");
      const expected = `SSL_CONF_cmd("${name}", "${value}") failed (SSL: ${why}) in /conf/main.conf:1`;
      assert.equal(mistake(text(command), files), expected);
    });
  }

  test("is refused with a file that is not there, or does not fit", () => {
    const key = mistake(text("PrivateKey other.key"), files);
    assert.match(
      key,
      /^SSL_CONF_cmd\("PrivateKey", "\/conf\/other\.key"\) failed \(SSL: .*key values mismatch\)/,
    );
    const alone = mistake(text("Certificate other.crt"), files);
    assert.match(alone, /^SSL_CONF_cmd\("Certificate", "\/conf\/other\.crt"\) failed/);
    const none = mistake(text("DHParameters none"), files);
    assert.match(
      none,
      /^SSL_CONF_cmd\("DHParameters", "\/conf\/none"\) failed \(SSL: error:80000002:/,
    );
    assert.match(mistake(text("Certificate none"), files), /No such file or directory/);
  });

  test("is accepted without effect, with a notice, if Node has no way to set it", () => {
    const { notices } = configure(
      text(
        "NumTickets 2",
        "recordpadding 64",
        "NumTickets 1",
        "Options -MiddleboxCompat,KTLS,-SessionTicket",
        "Options MiddleboxCompat,-KTLS",
      ),
      files,
    );
    assert.deepEqual(
      notices.map((notice) => notice.replace(/ in \/.*$/, "")),
      [
        '"ssl_conf_command" has no effect for NumTickets: Node has no way to set it',
        '"ssl_conf_command" has no effect for recordpadding: Node has no way to set it',
        '"ssl_conf_command" has no effect for MiddleboxCompat, KTLS in Options: Node has no way to change it',
      ],
    );
  });
});
