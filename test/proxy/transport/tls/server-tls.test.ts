import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConnectionOptions, type SecureVersion, connect as connectTls } from "node:tls";
import { RecordingReceiver, accepted, rest } from "../../../support/transport/connections.ts";
import { handshake, visit } from "../../../support/transport/handshake.ts";
import { serverTls } from "../../../support/transport/server-tls.ts";
import { dhparam, issue, pairFiles } from "../../../support/certificates/authority.ts";
import { acceptTlsOn } from "../../../support/transport/transport.ts";

test("bytes pass in both directions, and FIN closes one direction at a time", async () => {
  const { client, connection, receiver } = await handshake();
  client.write("hello");
  client.end();
  await receiver.ending.promise;
  assert.equal(receiver.text, "hello");
  connection.write("still \xe4 here");
  connection.end();
  assert.equal(await rest(client), "still \xe4 here");
  connection.close();
});

test("the fields of a TLS session have OpenSSL's names", async () => {
  const { client, connection } = await handshake({ servername: "mail.test" });
  const { tls } = connection;
  assert.ok(tls);
  assert.deepEqual(
    { ...tls, certificate: tls.certificate() },
    {
      protocol: "TLSv1.3",
      cipher: client.getCipher().name,
      serverName: "mail.test",
      alpn: null,
      resumed: false,
      certificate: { signature: "ecdsa-with-SHA256", key: "EC256" },
      verification: null,
    },
  );
  client.destroy();
  const old = await handshake({ maxVersion: "TLSv1.2" });
  assert.equal(old.connection.tls?.protocol, "TLSv1.2");
  assert.equal(old.connection.tls?.serverName, null);
  old.client.destroy();
});

describe("ALPN (RFC 7301)", () => {
  test("the protocol's name is selected from the client's list", async () => {
    const { client } = await handshake({ ALPNProtocols: ["h2", "imap"] });
    assert.equal(client.alpnProtocol, "imap");
    client.destroy();
  });

  test("a client without ALPN is accepted", async () => {
    const { client } = await handshake();
    assert.equal(client.alpnProtocol, false);
    client.destroy();
  });

  test("a client that offers only other protocols is refused", async () => {
    await assert.rejects(handshake({ ALPNProtocols: ["http/1.1", "pop3"] }), {
      message: /no application protocol/,
    });
  });
});

const rsa = issue(`/CN=mail.test/O=${"a".repeat(60)}`, { rsa: true });
const files = { ...pairFiles({ rsa }), "dh.pem": dhparam() };
const RSA = "ssl_certificate rsa.crt; ssl_certificate_key rsa.key;";
const EC = "ssl_certificate one.crt; ssl_certificate_key one.key;";

/** Version and cipher of a handshake; null if it fails. */
async function negotiate(options: ConnectionOptions, directives: string): Promise<string | null> {
  try {
    const { client, connection } = await handshake(options, serverTls(directives, files));
    client.destroy();
    return `${connection.tls?.protocol} ${connection.tls?.cipher}`;
  } catch {
    return null;
  }
}

/** A client that speaks only this version, even an old one. */
function only(version: SecureVersion): ConnectionOptions {
  return { minVersion: version, maxVersion: version, ciphers: "ALL:@SECLEVEL=0" };
}

describe("ssl_protocols", () => {
  const VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;
  const SPOKEN: Readonly<Record<string, string>> = {
    "": "0011",
    "ssl_protocols TLSv1.2;": "0010",
    "ssl_protocols TLSv1.3;": "0001",
    "ssl_protocols SSLv3;": "0000",
    "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;": "0011",
    "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;": "1111",
    "ssl_protocols TLSv1.1 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;": "0101",
    "ssl_ciphers ALL:@SECLEVEL=0;": "0011",
    "ssl_conf_command MinProtocol TLSv1.3;": "0001",
    "ssl_conf_command MaxProtocol TLSv1.2;": "0010",
    "ssl_conf_command Protocol ALL,-TLSv1.3; ssl_conf_command CipherString ALL:@SECLEVEL=0;":
      "1110",
  };
  for (const [directives, spoken] of Object.entries(SPOKEN)) {
    test(`"${directives}" accepts the versions ${spoken} of ${VERSIONS.join(", ")}`, async () => {
      const each = VERSIONS.map((version) => negotiate(only(version), directives));
      const answers = await Promise.all(each);
      assert.equal(answers.map((answer) => (answer === null ? 0 : 1)).join(""), spoken);
    });
  }
});

describe("ssl_ciphers", () => {
  const old = { maxVersion: "TLSv1.2" } as const;

  test("selects ciphers of TLS 1.2, and leaves those of TLS 1.3 unchanged", async () => {
    const directives = "ssl_ciphers TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256;";
    assert.equal(await negotiate(old, directives), "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256");
    assert.equal(await negotiate({}, directives), "TLSv1.3 TLS_AES_256_GCM_SHA384");
  });

  test("follows the client's order, unless ssl_prefer_server_ciphers is on", async () => {
    const ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
    const client = {
      ...old,
      ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
    };
    const theirs = await negotiate(client, `ssl_ciphers ${ciphers};`);
    assert.equal(theirs, "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384");
    const ours = await negotiate(client, `ssl_ciphers ${ciphers}; ssl_prefer_server_ciphers on;`);
    assert.equal(ours, "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256");
  });

  test("is overridden by ssl_conf_command, which also sets the ciphers of TLS 1.3", async () => {
    const command = "ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;";
    assert.equal(await negotiate({}, command), "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256");
    const list = "ssl_conf_command CipherString ECDHE-ECDSA-AES128-GCM-SHA256;";
    assert.equal(await negotiate(old, list), "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256");
  });
});

test("each client receives the certificate of the key type that its ciphers allow", async () => {
  for (const pairs of [`${RSA} ${EC}`, `${EC} ${RSA}`]) {
    for (const type of ["RSA", "ECDSA"]) {
      const ciphers = `ECDHE-${type}-AES128-GCM-SHA256`;
      const answer = await negotiate({ maxVersion: "TLSv1.2", ciphers }, pairs);
      assert.equal(answer, `TLSv1.2 ${ciphers}`);
    }
  }
});

test("DHE is available only with ssl_dhparam", async () => {
  const client = { maxVersion: "TLSv1.2", ciphers: "DHE-RSA-AES128-GCM-SHA256" } as const;
  assert.equal(await negotiate(client, RSA), null);
  const expected = "TLSv1.2 DHE-RSA-AES128-GCM-SHA256";
  assert.equal(await negotiate(client, `${RSA} ssl_dhparam dh.pem;`), expected);
  assert.equal(await negotiate(client, `${RSA} ssl_conf_command DHParameters dh.pem;`), expected);
});

test("ssl_ecdh_curve sets the groups", async () => {
  const client = { maxVersion: "TLSv1.2", ecdhCurve: "prime256v1" } as const;
  assert.notEqual(await negotiate(client, "ssl_ecdh_curve prime256v1:secp384r1;"), null);
  assert.equal(await negotiate(client, "ssl_ecdh_curve secp384r1;"), null);
  assert.equal(await negotiate(client, "ssl_conf_command Groups X25519;"), null);
});

test("certificates are sent compressed with ssl_certificate_compression", async () => {
  const offer = { certificateCompression: ["zlib"] } satisfies ConnectionOptions;
  const size = async (directives: string): Promise<number> => {
    const { client, peer } = await handshake(offer, serverTls(`${RSA} ${directives}`, files));
    const { bytesRead } = peer;
    client.destroy();
    return bytesRead;
  };
  assert.ok((await size("ssl_certificate_compression on;")) < (await size("")));
});

const REFUSED: Readonly<Record<string, string>> = {
  "ssl_ciphers FOO;":
    'SSL_CTX_set_cipher_list("FOO") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
  'ssl_ciphers "";':
    'SSL_CTX_set_cipher_list("") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
  "ssl_ciphers TLS_AES_128_GCM_SHA256;":
    'SSL_CTX_set_cipher_list("TLS_AES_128_GCM_SHA256") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
  "ssl_ecdh_curve foo;":
    'SSL_CTX_set1_curves_list("foo") failed (SSL: error:0A080106:SSL routines::passed invalid argument)',
  "ssl_conf_command Ciphersuites TLS_FOO;":
    'SSL_CONF_cmd("Ciphersuites", "TLS_FOO") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
  "ssl_conf_command CipherString FOO;":
    'SSL_CONF_cmd("CipherString", "FOO") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
  "ssl_conf_command Groups foo;":
    'SSL_CONF_cmd("Groups", "foo") failed (SSL: error:0A080106:SSL routines::passed invalid argument)',
  "ssl_conf_command SignatureAlgorithms foo;":
    'SSL_CONF_cmd("SignatureAlgorithms", "foo") failed (SSL: error:0A000180:SSL routines::bad value)',
};
for (const [directives, message] of Object.entries(REFUSED)) {
  test(`"${directives}" is refused with nginx's error and the line of the directive`, async () => {
    await assert.rejects(serverTls(directives, files), (error: Error) => {
      assert.equal(error.name, "ConfigError");
      assert.equal(
        error.message.replace(/ in \/\S+(?=:1$)/, " in mail.conf"),
        `${message} in mail.conf:1`,
      );
      return true;
    });
  });
}

describe("the handshake fails with", () => {
  test("an old version", async () => {
    await assert.rejects(
      handshake({ minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }),
      { message: /unsupported protocol/ },
    );
  });

  for (const [name, [bytes, message]] of Object.entries({
    "plain text": ["a LOGIN anna secret\r\n", /wrong version number/],
    zeros: ["\0".repeat(100), /wrong version number/],
    "a broken hello": ["\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff", /excessive message size/],
    "an overlong record": [`\x16\x03\x01\xff\xff${"x".repeat(70_000)}`, /data length too long/],
  } as const)) {
    test(`${name}, and the connection is closed`, async () => {
      const [{ peer, connection }, tls] = await Promise.all([accepted(), serverTls()]);
      const receiver = new RecordingReceiver(connection);
      peer.on("error", () => {});
      peer.write(bytes, "latin1");
      await assert.rejects(acceptTlsOn(connection, tls), { message });
      await receiver.closing.promise;
      assert.equal(receiver.text, "");
      peer.destroy();
    });
  }

  for (const [leave, message] of [
    ["destroy", "closed in the handshake"],
    ["resetAndDestroy", "read ECONNRESET"],
    ["end", "closed in the handshake"],
  ] as const) {
    test(`a client that leaves during the handshake (${leave})`, async () => {
      const [{ peer, connection }, tls] = await Promise.all([accepted(), serverTls()]);
      const receiver = new RecordingReceiver(connection);
      // After FIN, the owner decides whether to go on.
      void receiver.ending.promise.then(() => connection.close());
      const accepting = assert.rejects(acceptTlsOn(connection, tls), { message });
      peer.write("\x16\x03\x01\x02\0\x01", "latin1", () => peer[leave]());
      await accepting;
      assert.equal(receiver.text, "");
      peer.destroy();
    });
  }
});

test("a client that leaves as the handshake finishes causes no uncaught error", async () => {
  const [{ peer, connection }, tls] = await Promise.all([accepted(), serverTls()]);
  const receiver = new RecordingReceiver(connection);
  const accept = tls.accept.bind(tls);
  tls.accept = (socket) => {
    const secured = accept(socket);
    return secured.once("secure", () => secured.destroy());
  };
  connectTls({ socket: peer, rejectUnauthorized: false }).on("error", () => {});
  await assert.rejects(acceptTlsOn(connection, tls), { message: "closed in the handshake" });
  assert.equal(await receiver.closing.promise, null);
  assert.equal(receiver.text, "");
});

for (const time of ["0", "1y", "100y"]) {
  test(`ssl_session_timeout ${time} lets a client that comes back at once resume its session`, async () => {
    const server = serverTls(`ssl_session_timeout ${time};`);
    const { session } = await visit({}, server);
    assert.ok(session !== null);
    assert.equal((await visit({ session }, server)).tls.resumed, true);
  });
}

test("bytes that were read before the handshake become part of the handshake", async () => {
  const { peer, connection } = await accepted();
  const receiver = new RecordingReceiver(connection);
  const client = connectTls({ socket: peer, rejectUnauthorized: false });
  while (receiver.text === "") await new Promise(setImmediate);
  connection.unread(Buffer.from(receiver.text, "latin1"));
  await acceptTlsOn(connection, await serverTls());
  const secured = new RecordingReceiver(connection);
  client.end("hello");
  await secured.ending.promise;
  assert.equal(secured.text, "hello");
  connection.destroy();
});
