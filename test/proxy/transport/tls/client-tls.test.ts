// TLS as a client, with servers of every kind: what holds, and in which words the rest is refused.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { describe, test } from "node:test";
import type { TlsOptions } from "node:tls";
import type { Connection } from "../../../../proxy/transport/index.ts";
import { reason } from "../../../../proxy/reason.ts";
import { type IssueOptions, chain, issue, revoke } from "../../../support/authority.ts";
import { type Certificate, selfSigned } from "../../../support/certificate.ts";
import { Ear } from "../../../support/connections.ts";
import {
  GREETING,
  type TlsPeer,
  clientTls,
  dial,
  opensslPeer,
  tcpPeer,
  tlsPeer,
} from "../../../support/tls-peer.ts";

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

type Secured = { readonly connection: Connection; readonly ear: Ear };

/** Opens TLS; where that fails, nothing is heard and the connection is gone. */
async function secure(
  peer: TlsPeer,
  directives = TRUST,
  name = "mail.test",
  tls = clientTls(directives, files),
): Promise<Secured> {
  const connection = await dial(peer.at);
  const deaf = new Ear(connection);
  try {
    await connection.connectTls(tls, name);
  } catch (error) {
    await deaf.closing.promise;
    assert.equal(deaf.text, "");
    assert.equal(connection.tls, null);
    throw error;
  }
  return { connection, ear: new Ear(connection) };
}

/** Waits for the greeting, and closes. */
async function greeted({ connection, ear }: Secured): Promise<void> {
  let closed = false;
  ear.closing.promise.then(() => (closed = true));
  while (!closed && ear.text.length < GREETING.length) await new Promise(setImmediate);
  assert.equal(ear.text, GREETING);
  connection.close();
}

/** What is said of the handshake; null where it succeeds. */
async function told(
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
  test("holds for its names, in any case, and for its addresses", async () => {
    for (const name of [
      "mail.test",
      "MAIL.test",
      "mail.test.",
      "a.pool.test",
      "127.0.0.1",
      "::1",
    ]) {
      assert.equal(await told(good, TRUST, name), null, name);
    }
    assert.equal(await told(chain(make({ by: between }), between)), null);
  });

  const NAMES = `it is for ${MAIL.replaceAll("IP:", "IP Address:").replace("::1", "0:0:0:0:0:0:0:1")}`;
  for (const name of [
    "other.test",
    "a.b.pool.test",
    "pool.test",
    "127.0.0.2",
    "::2",
    "mail.test\0",
  ]) {
    test(`does not hold for ${JSON.stringify(name)}, and says for whom it does`, async () => {
      assert.equal(
        await told(good, TRUST, name),
        `upstream SSL certificate does not match "${name}": ${NAMES}`,
      );
    });
  }

  test("without names holds for its common name, which a long list of names cuts short", async () => {
    const bare = issue("/CN=bare.test", { by: authority });
    assert.equal(await told(bare, TRUST, "bare.test"), null);
    assert.match((await told(bare))!, /does not match "mail\.test": it is for CN=bare\.test$/);
    const many = Array.from({ length: 100 }, (_, index) => `DNS:${index}.test`).join(", ");
    const crowd = issue("/CN=mail.test", { by: authority, names: many });
    const said = await told(crowd);
    assert.match(said!, /it is for DNS:0\.test, .*\.\.\.$/);
    assert.ok(said!.length < 300);
  });

  const FAULTS: Readonly<Record<string, [Certificate, string, string?]>> = {
    "has expired": [expired, "(10:certificate has expired)"],
    "is not valid yet": [
      later,
      "(9:certificate is not yet valid)",
      "proxy_ssl_trusted_certificate later.crt;",
    ],
    "is its own authority": [own, "(18:self-signed certificate)"],
    "has an authority of its own behind it": [
      chain(make({ by: stranger }), stranger),
      "(19:self-signed certificate in certificate chain)",
    ],
    "is of an unknown authority": [
      make({ by: stranger }),
      "(21:unable to verify the first certificate)",
    ],
    "lacks those between it and its authority": [
      make({ by: between }),
      "(21:unable to verify the first certificate)",
    ],
    "is nobody's whom the world knows": [
      good,
      "(21:unable to verify the first certificate)",
      "proxy_ssl_verify on;",
    ],
    "is for clients": [make({ usage: "clientAuth" }), "(26:unsuitable certificate purpose)"],
    "has a weak key": [weak, "(66:EE certificate key too weak)"],
    "is revoked": [revoked, "(23:certificate revoked)", `${TRUST} proxy_ssl_crl ca.crl;`],
    "is of an authority that no list covers": [
      good,
      "(3:unable to get certificate CRL)",
      `${TRUST} proxy_ssl_crl stranger.crl;`,
    ],
  };
  for (const [fault, [certificate, reason, directives]] of Object.entries(FAULTS)) {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const options = { ...LOOSE, minVersion: version, maxVersion: version };
      test(`that ${fault} ends the connection, by ${version}`, async () => {
        assert.equal(
          await told(certificate, directives, "mail.test", options),
          `upstream SSL certificate verify error: ${reason}`,
        );
      });

      test(`that ${fault} will do with proxy_ssl_verify off, by ${version}`, async () => {
        const off = `${(directives ?? TRUST).replace("proxy_ssl_verify on;", "")} proxy_ssl_verify off;`;
        assert.equal(await told(certificate, off, "elsewhere.test", options), null);
      });
    }
  }

  test("that is on no list holds, and one revoked without a list does, too", async () => {
    assert.equal(await told(good, `${TRUST} proxy_ssl_crl ca.crl;`), null);
    assert.equal(await told(revoked), null);
  });
});

describe("what both speak", () => {
  const only = (version: "TLSv1" | "TLSv1.2" | "TLSv1.3"): TlsOptions => ({
    minVersion: version,
    maxVersion: version,
    ciphers: "ALL:@SECLEVEL=0",
  });

  test("is what proxy_ssl_protocols and proxy_ssl_ciphers say", async () => {
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
    test(`is nothing where a server speaks ${what}, which is told`, async () => {
      const said = await told(good, directives, "mail.test", options);
      assert.match(
        said!,
        /^SSL_do_handshake\(\) failed \(SSL: error:0A0\w{5}:SSL routines::[\w/ ]+\)$/,
      );
    });
  }
});

describe("a server that wants a certificate", () => {
  const demand = { requestCert: true, rejectUnauthorized: true, ca: authority.certificate };

  test("is shown the one of proxy_ssl_certificate", async () => {
    await using peer = await tlsPeer(good, demand);
    await greeted(await secure(peer, `${TRUST} ${CLIENT}`));
    assert.equal(peer.met[0]?.getPeerCertificate().subject.CN, "client");
  });

  for (const [what, directives] of [
    ["shown none", TRUST],
    ["shown a stranger's", `${TRUST} ${STRANGE}`],
  ] as const) {
    test(`and is ${what} ends the handshake of TLS 1.2`, async () => {
      await using peer = await opensslPeer(good, authority, "-tls1_2");
      await assert.rejects(secure(peer, directives), {
        message:
          /^SSL_do_handshake\(\) failed \(SSL: error:0A000\w{3}:SSL routines::[\w/]+ alert [\w ]+\)$/,
      });
    });

    test(`and is ${what} ends the connection of TLS 1.3 before a word`, async () => {
      await using peer = await opensslPeer(good, authority, "-tls1_3");
      const { ear } = await secure(peer, directives);
      assert.match(
        reason((await ear.closing.promise)!),
        /^SSL: error:0A000\w{3}:SSL routines::tlsv1\w* alert /,
      );
      assert.equal(ear.text, "");
    });
  }
});

describe("the name that is asked for (SNI)", () => {
  const asked = async (directives: string, name: string): Promise<string | false> => {
    await using peer = await tlsPeer(good);
    await greeted(await secure(peer, directives, name));
    return peer.met[0]?.servername ?? "nobody";
  };

  test("is the server's, without a dot at its end", async () => {
    assert.equal(await asked(TRUST, "mail.test"), "mail.test");
    assert.equal(await asked(TRUST, "mail.test."), "mail.test");
  });

  test("is none for an address, or with proxy_ssl_server_name off", async () => {
    assert.equal(await asked(TRUST, "127.0.0.1"), false);
    assert.equal(await asked(`${TRUST} proxy_ssl_server_name off;`, "mail.test"), false);
  });
});

describe("a server that is none, or breaks off", () => {
  const failing = async (serve: (socket: Socket) => void): Promise<string> => {
    await using peer = await tcpPeer(serve);
    const failure = await secure(peer).catch((error: unknown) => error);
    assert.ok(failure instanceof Error);
    return failure.message;
  };
  const WRONG =
    /^SSL_do_handshake\(\) failed \(SSL: error:0A00010B:SSL routines::wrong version number\)$/;

  test("greets in the clear", async () => {
    assert.match(await failing((socket) => socket.write(GREETING)), WRONG);
  });

  test("answers the first message in the clear", async () => {
    const serve = (socket: Socket): void => {
      socket.once("data", () => socket.write("tag BAD what?\r\n"));
    };
    assert.match(await failing(serve), WRONG);
  });

  test("closes at once, or once it was spoken to", async () => {
    const CLOSED = "peer closed connection in SSL handshake";
    assert.equal(await failing((socket) => socket.end()), CLOSED);
    assert.equal(await failing((socket) => socket.once("data", () => socket.end())), CLOSED);
  });

  test("resets the connection", async () => {
    const serve = (socket: Socket): void => {
      socket.once("data", () => socket.resetAndDestroy());
    };
    assert.match(
      await failing(serve),
      /^peer closed connection|Connection reset by peer|ECONNRESET/,
    );
  });

  test("closes in the middle of its first flight, wherever that is", async () => {
    for (const bytes of [1, 5, 6, 100, 500]) {
      await using whole = await tlsPeer(good);
      let passed = 0;
      await using half = await relay(whole, (chunk, to) => {
        const rest = chunk.subarray(0, bytes - passed);
        passed += rest.length;
        to.write(rest);
        if (passed === bytes) to.end();
      });
      await assert.rejects(secure(half), { message: "peer closed connection in SSL handshake" });
      assert.deepEqual(whole.met, []);
    }
  });

  test("says nothing, until whoever waits gives up", async () => {
    const heard = Promise.withResolvers<void>();
    await using peer = await tcpPeer((socket) => socket.once("data", () => heard.resolve()));
    const connection = await dial(peer.at);
    const ear = new Ear(connection);
    const handshake = connection.connectTls(clientTls(TRUST, files), "mail.test");
    const refused = assert.rejects(handshake, /closed in the handshake/);
    await heard.promise;
    connection.destroy();
    await refused;
    assert.equal(await ear.closing.promise, null);
  });
});

/** Passes bytes on, those of the server as `pass` likes. */
function relay(peer: TlsPeer, pass: (chunk: Buffer, to: Socket) => void): Promise<TlsPeer> {
  return tcpPeer((socket) => {
    const server = connect({ ...peer.at, noDelay: true });
    server.on("error", () => {});
    server.on("data", (chunk: Buffer) => pass(chunk, socket));
    socket.on("data", (chunk) => server.write(chunk));
    socket.once("close", () => server.destroy());
  });
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  const options = { minVersion: version, maxVersion: version };

  test(`a handshake of ${version} byte by byte is still one`, async () => {
    await using whole = await tlsPeer(good, options);
    await using bytewise = await relay(whole, (chunk, to) => {
      to.setNoDelay(true);
      for (const byte of chunk) to.write(Uint8Array.of(byte));
    });
    await greeted(await secure(bytewise));
  });
}

/** Types of TLS records (RFC 8446 section 5.1). */
const CHANGE_CIPHER_SPEC = 20;
const APPLICATION_DATA = 23;

function recordTypes(stream: Buffer): readonly number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= stream.length; at += 5 + stream.readUInt16BE(at + 3)) {
    types.push(stream[at]!);
  }
  return types;
}

test("a greeting that comes together with the end of the handshake is heard", async () => {
  await using whole = await tlsPeer(good, { maxVersion: "TLSv1.2" });
  let stream = Buffer.alloc(0);
  let passed = 0;
  await using slow = await relay(whole, (chunk, to) => {
    stream = Buffer.concat([stream, chunk]);
    const types = recordTypes(stream);
    if (types.includes(CHANGE_CIPHER_SPEC) && !types.includes(APPLICATION_DATA)) return;
    to.write(stream.subarray(passed));
    passed = stream.length;
  });
  await greeted(await secure(slow));
});

test("bytes that came before the handshake are neither swallowed nor heard after it", async () => {
  await using peer = await tlsPeer(good);
  const connection = await dial(peer.at);
  const ear = new Ear(connection);
  connection.unread(Buffer.from("* PREAUTH injected\r\n"));
  const handshake = connection.connectTls(clientTls(TRUST, files), "mail.test");
  await assert.rejects(handshake, /wrong version number/);
  await ear.closing.promise;
  assert.equal(ear.text, "");
  assert.deepEqual(peer.met, []);
});

test("bytes that wait in a paused connection are not heard either", async () => {
  const injected = Promise.withResolvers<void>();
  await using peer = await tcpPeer((socket) => socket.write(GREETING, () => injected.resolve()));
  const connection = await dial(peer.at);
  const ear = new Ear(connection);
  connection.pause();
  await injected.promise;
  const handshake = connection.connectTls(clientTls(TRUST, files), "mail.test");
  await assert.rejects(handshake, /wrong version number/);
  await ear.closing.promise;
  assert.equal(ear.text, "");
});

test("a failed handshake leaves no socket open on either side", async () => {
  const ended = Promise.withResolvers<void>();
  await using whole = await tlsPeer(expired);
  await using watched = await tcpPeer((socket) => {
    const server = connect(whole.at);
    socket.pipe(server).pipe(socket);
    socket.once("close", () => ended.resolve());
    server.once("error", () => {});
  });
  await assert.rejects(secure(watched), /certificate has expired/);
  await ended.promise;
  for (const socket of whole.met) if (!socket.destroyed) await once(socket, "close");
});
