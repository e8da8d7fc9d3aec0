/**
 * The floor of the comparison: the least that a proxy on Node's sockets can do. It has no configuration, limits,
 * log, metrics, deadlines or failover, believes every line, and speaks IMAP and POP3 in one process.
 *
 *   node test/bench/floor/main.ts DIRECTORY PORTS
 *
 * DIRECTORY has the certificates; PORTS is JSON with the ports to serve and that of the lookup endpoint.
 */
import { readFileSync } from "node:fs";
import net, { Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import type { ServerPorts } from "../configuration.ts";
import { READING } from "./buffers.ts";
import { LookupClient } from "./lookups.ts";
import { Session } from "./session.ts";

const BACKLOG = 16_384;

const [directory = "", text = "{}"] = process.argv.slice(2);
const ports = JSON.parse(text) as ServerPorts & { readonly endpoint: number };
const lookups = new LookupClient(ports.endpoint);

listen(ports.imap, "imap");
listen(ports.pop3, "pop3");
listenTls(ports.imaps, "certificate.pem", "key.pem");
listenTls(ports.imapsRsa, "rsa-certificate.pem", "rsa-key.pem");

/** A handle of Node's that accepts; undocumented. */
interface AcceptingHandle {
  onconnection: (status: number, client: { setNoDelay(on: boolean): void }) => void;
  listen(backlog: number): number;
}

/** `net.Server` makes sockets that allocate a buffer for each read, so the handle is accepted from without it. */
function listen(port: number, protocol: "imap" | "pop3"): void {
  // oxlint-disable-next-line no-underscore-dangle -- undocumented
  const bind = (net as unknown as { _createServerHandle: typeof createHandle })._createServerHandle;
  const handle = bind("127.0.0.1", port, 4);
  if (typeof handle === "number") throw new Error(`cannot bind port ${port}: ${handle}`);
  handle.onconnection = (status, client) => {
    if (status !== 0) return;
    client.setNoDelay(true);
    const socket = new Socket({ ...READING, handle: client } as object);
    new Session(socket, protocol, lookups).greet();
  };
  const status = handle.listen(BACKLOG);
  if (status !== 0) throw new Error(`cannot listen on port ${port}: ${status}`);
}

declare function createHandle(host: string, port: number, family: 4): AcceptingHandle | number;

function listenTls(port: number, certificate: string, key: string): void {
  const options = {
    cert: readFileSync(join(directory, certificate)),
    key: readFileSync(join(directory, key)),
    noDelay: true,
  };
  const server = createTlsServer(options, (socket) => {
    const session = new Session(socket, "imap", lookups);
    // A greeting within this event keeps Node from sending its session tickets.
    setImmediate(() => session.greet());
  });
  server.on("tlsClientError", () => {});
  server.listen({ port, host: "127.0.0.1", backlog: BACKLOG });
}
