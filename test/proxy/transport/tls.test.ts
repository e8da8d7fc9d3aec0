import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from "node:tls";
import type { Connection } from "../../../proxy/transport/index.ts";
import { Ear, accepted, rest } from "../../support/connections.ts";
import { serverTls } from "../../support/server-tls.ts";

type Handshaken = {
  readonly client: TLSSocket;
  readonly connection: Connection;
  readonly ear: Ear;
  /** For a later handshake. */
  readonly session: Promise<Buffer>;
};

async function handshake(options: ConnectionOptions = {}, tls = serverTls()): Promise<Handshaken> {
  const [{ peer, connection }, server] = await Promise.all([accepted(), tls]);
  const ear = new Ear(connection);
  const client = connectTls({ socket: peer, rejectUnauthorized: false, ...options });
  client.on("error", () => {});
  const session = new Promise<Buffer>((resolve) => client.once("session", resolve));
  try {
    const secured = once(client, "secureConnect");
    await Promise.all([connection.acceptTls(server), secured]);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return { client, connection, ear, session };
}

test("bytes pass both ways, and FIN one way at a time", async () => {
  const { client, connection, ear } = await handshake();
  client.write("hello");
  client.end();
  await ear.ending.promise;
  assert.equal(ear.text, "hello");
  connection.write("still \xe4 here");
  connection.end();
  assert.equal(await rest(client), "still \xe4 here");
  connection.close();
});

test("the handshake's facts are told in OpenSSL's words", async () => {
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
    },
  );
  client.destroy();
  const old = await handshake({ maxVersion: "TLSv1.2" });
  assert.equal(old.connection.tls?.protocol, "TLSv1.2");
  assert.equal(old.connection.tls?.serverName, null);
  old.client.destroy();
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`a session is resumed, at another worker too, by ${version}`, async () => {
    const options = { minVersion: version, maxVersion: version, servername: "mail.test" };
    const first = await handshake(options, serverTls());
    first.client.resume();
    first.connection.write("* OK\r\n");
    const session = await first.session;
    first.client.end();
    first.connection.close();
    const second = await handshake({ ...options, session }, serverTls());
    assert.equal(second.connection.tls?.resumed, true);
    second.client.destroy();
  });
}

test("a session is not resumed with other ticket keys", async () => {
  const options = { minVersion: "TLSv1.3", servername: "mail.test" } as const;
  const first = await handshake(options);
  first.client.resume();
  const session = await first.session;
  first.client.destroy();
  const tickets = { enabled: true, lifetime: 300_000, keys: new Uint8Array(48).fill(8) };
  const second = await handshake({ ...options, session }, serverTls({ tickets }));
  assert.equal(second.connection.tls?.resumed, false);
  second.client.destroy();
});

describe("ALPN (RFC 7301)", () => {
  test("the protocol's own name is agreed on", async () => {
    const { client } = await handshake({ ALPNProtocols: ["h2", "imap"] });
    assert.equal(client.alpnProtocol, "imap");
    client.destroy();
  });

  test("a client that names none is welcome", async () => {
    const { client } = await handshake();
    assert.equal(client.alpnProtocol, false);
    client.destroy();
  });

  test("a client that names others only is refused", async () => {
    await assert.rejects(handshake({ ALPNProtocols: ["http/1.1", "pop3"] }));
  });
});

describe("no handshake comes of", () => {
  test("an old version", async () => {
    await assert.rejects(
      handshake({ minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }),
    );
  });

  for (const [name, bytes] of Object.entries({
    "words in the clear": "a LOGIN anna secret\r\n",
    zeros: "\0".repeat(100),
    "a broken hello": "\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff",
    "an overlong record": `\x16\x03\x01\xff\xff${"x".repeat(70_000)}`,
  })) {
    test(`${name}, and the connection is closed`, async () => {
      const [{ peer, connection }, tls] = await Promise.all([accepted(), serverTls()]);
      const ear = new Ear(connection);
      peer.on("error", () => {});
      peer.write(bytes, "latin1");
      await assert.rejects(connection.acceptTls(tls));
      await ear.closing.promise;
      assert.equal(ear.text, "");
      peer.destroy();
    });
  }

  for (const leave of ["destroy", "resetAndDestroy", "end"] as const) {
    test(`a client that leaves in the middle of it (${leave})`, async () => {
      const [{ peer, connection }, tls] = await Promise.all([accepted(), serverTls()]);
      const ear = new Ear(connection);
      // FIN leaves it to the owner to go on or not.
      void ear.ending.promise.then(() => connection.close());
      const accepting = assert.rejects(connection.acceptTls(tls));
      peer.write("\x16\x03\x01\x02\0\x01", "latin1", () => peer[leave]());
      await accepting;
      peer.destroy();
    });
  }
});

test("what was read too far before the handshake takes part in it", async () => {
  const { peer, connection } = await accepted();
  const ear = new Ear(connection);
  const client = connectTls({ socket: peer, rejectUnauthorized: false });
  while (ear.text === "") await new Promise(setImmediate);
  connection.unread(Buffer.from(ear.text, "latin1"));
  await connection.acceptTls(await serverTls());
  const heard = new Ear(connection);
  client.end("hello");
  await heard.ending.promise;
  assert.equal(heard.text, "hello");
  connection.destroy();
});
