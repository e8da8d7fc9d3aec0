// A TLS handshake between Node's client and our server, over a connection of their own.
import { once } from "node:events";
import type { Socket } from "node:net";
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from "node:tls";
import type { Connection, SocketServerTls } from "../../../proxy/transport/index.ts";
import { RecordingReceiver, accepted } from "./connections.ts";
import { serverTls } from "./server-tls.ts";
import { acceptTlsOn } from "./transport.ts";

export type Handshaken = {
  readonly client: TLSSocket;
  /** The client's socket below TLS. */
  readonly peer: Socket;
  readonly connection: Connection;
  readonly receiver: RecordingReceiver;
  /** For a later handshake. */
  readonly session: Promise<Buffer>;
};

export async function handshake(
  options: ConnectionOptions = {},
  tls: SocketServerTls | Promise<SocketServerTls> = serverTls(),
): Promise<Handshaken> {
  const [{ peer, connection }, server] = await Promise.all([accepted(), tls]);
  const receiver = new RecordingReceiver(connection);
  const client = connectTls({ socket: peer, rejectUnauthorized: false, ...options });
  client.on("error", () => {});
  const session = new Promise<Buffer>((resolve) => client.once("session", resolve));
  try {
    const secured = once(client, "secureConnect");
    await Promise.all([acceptTlsOn(connection, server), secured]);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return { client, peer, connection, receiver, session };
}

/** Handshakes, receives a line, and leaves. @returns the session for a later handshake, if there is one */
export async function visit(
  options: ConnectionOptions,
  tls: SocketServerTls | Promise<SocketServerTls>,
): Promise<{ readonly tls: NonNullable<Connection["tls"]>; readonly session: Buffer | null }> {
  const { client, connection, session } = await handshake(options, tls);
  const heard = once(client, "data");
  connection.write("* OK\r\n");
  await heard;
  const gone = once(client, "close").then(() => null);
  connection.close();
  client.end();
  return { tls: connection.tls!, session: await Promise.race([session, gone]) };
}
