// A splice with sockets at both ends, under TLS or in the clear.
import { once } from "node:events";
import type { Socket } from "node:net";
import { TLSSocket, connect as connectTls, createSecureContext } from "node:tls";
import {
  type Connection,
  SocketClientTls,
  type SpliceReport,
} from "../../../proxy/transport/index.ts";
import { type Certificate, selfSigned } from "../certificates/certificate.ts";
import { accepted, dialled, transport } from "./connections.ts";
import { serverTls } from "./server-tls.ts";
import { acceptTlsOn, connectTlsOn } from "./transport.ts";

export type Spliced = {
  readonly client: Socket;
  readonly upstream: Socket;
  /** The sockets under TLS, where there is TLS. */
  readonly wires: { readonly client: Socket; readonly upstream: Socket };
  /** Our own side, towards each of the two. */
  readonly towards: { readonly client: Connection; readonly upstream: Connection };
  readonly stop: () => void;
  readonly done: Promise<SpliceReport>;
};

/** The sides that are under TLS. */
export type Under = { readonly client: boolean; readonly upstream: boolean };

export const UNDER: Readonly<Record<string, Under>> = {
  "in the clear": { client: false, upstream: false },
  "under TLS towards the client": { client: true, upstream: false },
  "under TLS towards the upstream": { client: false, upstream: true },
  "under TLS": { client: true, upstream: true },
};

/** ms, and far beyond any test. */
const NEVER = { idle: 3_600_000, halfClosed: 3_600_000 };

export async function spliced(
  under: Under = UNDER["in the clear"]!,
  limits = NEVER,
): Promise<Spliced> {
  const [from, to] = await Promise.all([accepted(), dialled()]);
  const [client, upstream] = await Promise.all([
    under.client ? secureClient(from.connection, from.peer) : from.peer,
    under.upstream ? secureUpstream(to.connection, to.peer) : to.peer,
  ]);
  const done = Promise.withResolvers<SpliceReport>();
  const splice = transport.splice(from.connection, to.connection, limits, {
    spliced: done.resolve,
  });
  return {
    client,
    upstream,
    wires: { client: from.peer, upstream: to.peer },
    towards: { client: from.connection, upstream: to.connection },
    stop: () => splice.stop(),
    done: done.promise,
  };
}

/** @returns the client's end */
async function secureClient(connection: Connection, peer: Socket): Promise<Socket> {
  const tls = await serverTls();
  const client = connectTls({ socket: peer, rejectUnauthorized: false });
  await Promise.all([acceptTlsOn(connection, tls), once(client, "secureConnect")]);
  return client;
}

let made: Promise<Certificate> | undefined;

/** @returns the upstream's end */
async function secureUpstream(connection: Connection, peer: Socket): Promise<Socket> {
  made ??= selfSigned();
  const { certificate, key } = await made;
  const secureContext = createSecureContext({ cert: certificate, key });
  const upstream = new TLSSocket(peer, { isServer: true, secureContext });
  const tls = new SocketClientTls({ verify: false, trusted: null });
  await Promise.all([connectTlsOn(connection, tls, "localhost"), once(upstream, "secure")]);
  connection.pause();
  return upstream.pause();
}

/** Both sockets, the one under test first. */
export function sides<Side>(
  { client, upstream }: { readonly client: Side; readonly upstream: Side },
  first: "client" | "upstream",
): readonly [one: Side, other: Side] {
  return first === "client" ? [client, upstream] : [upstream, client];
}
