// TLS servers of Node and OpenSSL, and connections of ours that open TLS with them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import {
  type AddressInfo,
  type Server,
  type Socket,
  createServer as createTcpServer,
} from "node:net";
import { join } from "node:path";
import { type TLSSocket, type TlsOptions, createServer } from "node:tls";
import {
  type Address,
  type Connection,
  SocketClientTls,
  openConnection,
} from "../../../proxy/transport/index.ts";
import type { Certificate } from "../certificates/certificate.ts";
import { RecordingReceiver, transport } from "./connections.ts";
import { freePorts } from "../programs/ports.ts";
import { Program } from "../programs/program.ts";
import { makeScratch } from "../programs/scratch.ts";
import { proxyTlsOptions } from "./tls-options.ts";
import { connectTlsOn } from "./transport.ts";

export type TlsPeer = AsyncDisposable & {
  readonly at: Address;
  /** Connections whose handshake has finished. */
  readonly met: TLSSocket[];
};

export const GREETING = "* OK ready\r\n";

/** Greets each client after its handshake. */
export async function tlsPeer(
  { certificate, key }: Certificate,
  options: TlsOptions = {},
): Promise<TlsPeer> {
  const met: TLSSocket[] = [];
  const server = createServer({ cert: certificate, key, ...options }, (socket) => {
    socket.on("error", () => {});
    met.push(socket);
    // After its tickets, so that the client gets them, too.
    setImmediate(() => socket.write(GREETING));
  });
  return { met, ...(await listening(server)) };
}

/** A server that handles the bytes below TLS. */
export function tcpPeer(serve: (socket: Socket) => void): Promise<TlsPeer> {
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  return listening(server).then((peer) => ({ met: [], ...peer }));
}

async function listening(server: Server): Promise<Omit<TlsPeer, "met">> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    at: { host: "127.0.0.1", port },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** OpenSSL's server. It demands a certificate of that authority from each client, and sends each line back reversed. */
export async function opensslPeer(
  { certificate, key }: Certificate,
  authority: Certificate,
  ...options: readonly string[]
): Promise<TlsPeer> {
  const { path, remove } = await makeScratch();
  const files = { "own.crt": certificate, "own.key": key, "ca.crt": authority.certificate };
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  const [port] = await freePorts(1);
  const pair = ["-cert", "own.crt", "-key", "own.key", "-CAfile", "ca.crt"];
  const demand = ["-Verify", "1", "-verify_return_error"];
  const accept = ["s_server", "-accept", `127.0.0.1:${port}`, "-rev"];
  const program = new Program("openssl", [...accept, ...pair, ...demand, ...options], {
    cwd: path,
  });
  await program.listening([port!]);
  return {
    at: { host: "127.0.0.1", port: port! },
    met: [],
    [Symbol.asyncDispose]: async () => {
      await program.stop();
      await remove();
    },
  };
}

/** TLS with those `proxy_ssl_*` directives. */
export function clientTls(
  directives: string,
  files: Readonly<Record<string, string>> = {},
): SocketClientTls {
  return new SocketClientTls(proxyTlsOptions(directives, "", files));
}

export function dial(to: Address): Promise<Connection> {
  return openConnection(transport, to, new AbortController().signal);
}

export type Secured = { readonly connection: Connection; readonly receiver: RecordingReceiver };

/** Opens TLS. If that fails, it asserts that nothing was received and the connection is closed. */
export async function opened(
  peer: TlsPeer,
  tls: SocketClientTls,
  name = "mail.test",
): Promise<Secured> {
  const connection = await dial(peer.at);
  const deaf = new RecordingReceiver(connection);
  try {
    await connectTlsOn(connection, tls, name);
  } catch (error) {
    await deaf.closing.promise;
    assert.equal(deaf.text, "");
    assert.equal(connection.tls, null);
    throw error;
  }
  return { connection, receiver: new RecordingReceiver(connection) };
}

/** Waits for the greeting, and closes. */
export async function greeted({ connection, receiver }: Secured): Promise<void> {
  let closed = false;
  void receiver.closing.promise.then(() => (closed = true));
  while (!closed && receiver.text.length < GREETING.length) await new Promise(setImmediate);
  assert.equal(receiver.text, GREETING);
  connection.close();
}
