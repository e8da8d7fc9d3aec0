// Tunnels over real sockets: the bytes that arrive, and the errors that hostile, broken and silent proxies cause.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { type TestContext, describe, test } from "node:test";
import type { OutboundProxy } from "../../../../proxy/config/index.ts";
import {
  type Address,
  type Connection,
  SocketClientTls,
  openConnection,
} from "../../../../proxy/transport/index.ts";
import { OutboundProxyError, tunnel, tunnelTimedOut } from "../../../../proxy/upstream/index.ts";
import { selfSigned } from "../../../support/certificates/certificate.ts";
import { transport } from "../../../support/transport/connections.ts";
import {
  type TestProxy,
  startConnectProxy,
  startScriptedProxy,
} from "../../../support/peers/outbound-proxies.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { silence, startUpstream } from "../../../support/peers/upstream.ts";
import type { Wire } from "../../../support/peers/wire.ts";
import { connectTlsOn } from "../../../support/transport/transport.ts";

const never = new AbortController().signal;
const server = { host: "mail.example", port: 143 };

function at(port: number, scheme: OutboundProxy["scheme"] = "http", login?: string): OutboundProxy {
  const [user = "", password = ""] = login?.split(":") ?? [];
  const credentials = login === undefined ? null : { user, password };
  return { scheme, host: "127.0.0.1", port, credentials };
}

async function scripted(
  t: TestContext,
  script: Parameters<typeof startScriptedProxy>[0],
): Promise<TestProxy> {
  const proxy = await startScriptedProxy(script);
  t.after(() => proxy.close());
  return proxy;
}

/** A server that greets, and then echoes each line. */
async function echo(t: TestContext): Promise<number> {
  const upstream = await startUpstream(async (wire) => {
    wire.write("* OK hi\r\n");
    for (;;) wire.write(`${await wire.line()}\r\n`);
  });
  t.after(() => upstream.close());
  return upstream.port;
}

/** Reads as many bytes as the expected text has, and compares the two. */
async function receives(connection: Connection, text: string): Promise<void> {
  let all = "";
  await new Promise<void>((resolve, reject) => {
    connection.receiver = {
      received(bytes) {
        all += Buffer.from(bytes).toString("latin1");
        if (all.length >= text.length) resolve();
      },
      drained() {},
      ended() {},
      closed: () => reject(new Error(`closed behind ${JSON.stringify(all)}`)),
    };
    connection.resume();
  });
  assert.equal(all, text);
}

/** Opens a tunnel. @param signal aborts the tunnel, as a deadline does */
async function open(
  proxy: OutboundProxy,
  tls: SocketClientTls | null,
  to: Address,
  signal: AbortSignal,
): Promise<Connection> {
  const dial = tunnel((address, receiver) => transport.dial(address, receiver), proxy, tls);
  try {
    return await openConnection({ dial }, to, signal);
  } catch (error) {
    throw signal.aborted ? tunnelTimedOut(proxy) : error;
  }
}

describe("a tunnel through a proxy", { concurrency: true }, () => {
  for (const together of [false, true]) {
    test(`passes bytes on, where the server's greeting comes ${together ? "with" : "after"} the proxy's response`, async (t) => {
      const proxy = await startConnectProxy({ names: ["mail.example"], together });
      t.after(() => proxy.close());
      const to = { host: "Mail.Example.", port: await echo(t) };
      const connection = await open(at(proxy.port), null, to, never);
      connection.write("a b\r\n");
      await receives(connection, "* OK hi\r\na b\r\n");
      assert.match(proxy.asked[0]!, /^CONNECT mail\.example:\d+ HTTP\/1\.1\r\n/);
      connection.destroy();
    });
  }

  test("accepts a response that comes a byte at a time", async (t) => {
    const proxy = await scripted(t, async (wire) => {
      for (const byte of "HTTP/1.1 200 OK\r\nA: b\r\n\r\nhi") {
        wire.write(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await silence();
    });
    const connection = await open(at(proxy.port), null, server, never);
    await receives(connection, "hi");
    connection.destroy();
  });

  test("carries TLS to the server", async (t) => {
    const own = await selfSigned("mail.example");
    const upstream = createTlsServer({ cert: own.certificate, key: own.key }, (socket) =>
      socket.end("* OK secret\r\n"),
    ).listen(0, "127.0.0.1");
    t.after(() => upstream.close());
    await once(upstream, "listening");
    const proxy = await startConnectProxy({ names: ["mail.example"] });
    t.after(() => proxy.close());
    const to = { host: "mail.example", port: (upstream.address() as AddressInfo).port };
    const connection = await open(at(proxy.port), null, to, never);
    const trusting = new SocketClientTls({ verify: true, trusted: own.certificate });
    await connectTlsOn(connection, trusting, "mail.example");
    await receives(connection, "* OK secret\r\n");
    connection.destroy();
  });

  test("verifies the proxy's certificate, and carries TLS to the server inside TLS to the proxy", async (t) => {
    const own = await selfSigned("localhost");
    const upstream = createTlsServer({ cert: own.certificate, key: own.key }, (socket) =>
      socket.end("* OK twice\r\n"),
    ).listen(0, "127.0.0.1");
    t.after(() => upstream.close());
    await once(upstream, "listening");
    const proxy = await startConnectProxy({ certificate: own, login: "anna:SECRET" });
    t.after(() => proxy.close());
    const to = { host: "127.0.0.1", port: (upstream.address() as AddressInfo).port };
    const route = at(proxy.port, "https", "anna:SECRET");
    const trusting = new SocketClientTls({ verify: true, trusted: own.certificate });
    const connection = await open(route, trusting, to, never);
    await connectTlsOn(connection, trusting, "localhost");
    await receives(connection, "* OK twice\r\n");
    connection.destroy();

    const distrusting = new SocketClientTls({ verify: true, trusted: null });
    await assert.rejects(open(route, distrusting, to, never), {
      name: "OutboundProxyError",
      message:
        /^outbound proxy 127\.0\.0\.1:\d+ SSL certificate verify error: \(18:self-signed certificate\)/,
    });
    assert.equal(proxy.asked.length, 1, "no password was sent");
  });
});

/** Proxies that open no tunnel, and the error of each. */
const HOSTILE: Readonly<Record<string, readonly [(wire: Wire) => Promise<void>, why: string]>> = {
  "refuses and keeps sending": [
    async (wire) => {
      wire.write(`HTTP/1.1 403 no\r\n\r\n${"x".repeat(100_000)}`);
      await silence();
    },
    "answered 403 Forbidden",
  ],
  "speaks no HTTP": [
    async (wire) => {
      wire.write("220 mail.example ESMTP\r\n");
      await silence();
    },
    "sent invalid response",
  ],
  "sends a line without an end": [
    async (wire) => {
      wire.write("x".repeat(100_000));
      await silence();
    },
    "sent too long response",
  ],
  "closes the connection at once": [async () => {}, "closed the connection"],
  "closes the connection inside its response": [
    async (wire) => wire.write("HTTP/1.1 200 OK\r\nA: "),
    "closed the connection",
  ],
};

describe("a tunnel fails with an error where the proxy", { concurrency: true }, () => {
  for (const [name, [script, why]] of Object.entries(HOSTILE)) {
    test(name, async (t) => {
      const proxy = await scripted(t, script);
      await assert.rejects(
        open(at(proxy.port, "http", "anna:SECRET"), null, server, never),
        new OutboundProxyError(`outbound proxy 127.0.0.1:${proxy.port} ${why}`),
      );
    });
  }

  test("resets the connection", async (t) => {
    const proxy = await scripted(t, async (wire, socket) => {
      await wire.line();
      socket.resetAndDestroy();
    });
    await assert.rejects(open(at(proxy.port), null, server, never), {
      message: `outbound proxy 127.0.0.1:${proxy.port} recv() failed (104: Connection reset by peer)`,
    });
  });

  test("does not listen", async () => {
    const [port] = await freePorts(1);
    await assert.rejects(open(at(port!, "socks5"), null, server, never), {
      message: `outbound proxy 127.0.0.1:${port} recv() failed (111: Connection refused)`,
    });
  });

  for (const scheme of ["http", "https", "socks5"] as const) {
    test(`is silent over ${scheme}, and a deadline closes the connection`, async (t) => {
      const gone = Promise.withResolvers<unknown>();
      const arrived = Promise.withResolvers<void>();
      const proxy = await scripted(t, async (_wire, socket) => {
        arrived.resolve();
        socket.once("close", gone.resolve);
        await silence();
      });
      const controller = new AbortController();
      const tls = scheme === "https" ? new SocketClientTls({ verify: true, trusted: null }) : null;
      const connecting = open(at(proxy.port, scheme), tls, server, controller.signal);
      void arrived.promise.then(() => controller.abort(new Error("timed out")));
      await assert.rejects(connecting, {
        message: `outbound proxy 127.0.0.1:${proxy.port} timed out (110: Connection timed out)`,
      });
      await gone.promise;
    });
  }
});

test("a proxy is never asked for a malformed host", async (t) => {
  const proxy = await startConnectProxy();
  t.after(() => proxy.close());
  for (const host of ["a\r\nHost: b", "", "a b", "unix:/x", "mail.example/"]) {
    await assert.rejects(open(at(proxy.port), null, { host, port: 143 }, never), {
      message: `outbound proxy 127.0.0.1:${proxy.port} cannot be asked for what is no host`,
    });
  }
  assert.equal(proxy.listener.connections, 0);
});

test("a proxy that answers a TLS handshake in the clear causes an error", async (t) => {
  const plain = createTcpServer((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n")).listen(
    0,
    "127.0.0.1",
  );
  t.after(() => plain.close());
  await once(plain, "listening");
  const { port } = plain.address() as AddressInfo;
  const tls = new SocketClientTls({ verify: false, trusted: null });
  await assert.rejects(
    open(at(port, "https"), tls, server, never),
    /^OutboundProxyError: outbound proxy 127\.0\.0\.1:\d+ SSL_do_handshake\(\) failed \(SSL: error:/,
  );
});
