/** A worker process: accepts connections and runs their sessions. */
import { formatAddress } from "../../shared/address.ts";
import { type ServerSettings, type Settings, networks } from "../config/index.ts";
import { serverTls } from "../listener/index.ts";
import { HttpAuthority } from "../lookup/index.ts";
import { AccessLog, ErrorLog, Sinks } from "../observe/index.ts";
import { protocols } from "../protocols/index.ts";
import { type Server, Session } from "../session/index.ts";
import {
  type BoundSocket,
  type Connection,
  type Listener,
  SocketClientTls,
  SocketTransport,
  accept,
} from "../transport/index.ts";
import { reason } from "../reason.ts";
import { direct } from "../upstream/index.ts";
import { reservedConnections } from "./resources.ts";

/** ms for last words and last log lines to go out before a worker ends. */
export const LAST_WORDS = 200;

export class Worker {
  /** For what is not about a session. */
  readonly log: ErrorLog;
  readonly #settings: Settings;
  readonly #servers: readonly Server[];
  readonly #listeners: Listener[] = [];
  readonly #sessions = new Set<Session>();
  readonly #sinks = new Sinks();
  readonly #idle: () => void;
  #accepted = 0;
  #draining = false;

  /**
   * @param ticketKeys 48 bytes, the same for all workers
   * @param idle called when a draining worker has no session left
   */
  constructor(settings: Settings, ticketKeys: Uint8Array, idle: () => void) {
    this.#settings = settings;
    this.#idle = idle;
    const transport = new SocketTransport(
      settings.worker_connections,
      reservedConnections(settings),
    );
    const sinks = this.#sinks;
    this.log = new ErrorLog(settings.error_log, sinks);
    this.#servers = settings.servers.map((server) => ({
      settings: server,
      protocol: protocols[server.protocol],
      tls: serverTls(server, ticketKeys),
      trusted: networks(server.set_real_ip_from),
      authority: new HttpAuthority(transport, { ...server, tls: lookupTls(server) }),
      dialer: direct(transport),
      transport,
      errorLog: new ErrorLog(server.error_log, sinks),
      accessLog: new AccessLog(server.access_log, sinks),
    }));
  }

  /** Begins to accept from a socket; the indices are those of the settings. */
  listen(server: number, listen: number, socket: BoundSocket): void {
    const listener = accept(
      socket,
      (client) => this.take(server, listen, client),
      (error) => this.deaf(server, listen, error),
    );
    this.#listeners.push(listener);
  }

  /** A socket cannot be accepted from. */
  deaf(server: number, listen: number, { message }: Error): void {
    const address = this.#settings.servers[server]?.listen[listen];
    const where = address === undefined ? "" : ` to ${formatAddress(address)}`;
    this.log.write("alert", `listen()${where}: ${message}`);
  }

  /** Serves a client that came by that socket. */
  take(serverIndex: number, listenIndex: number, client: Connection): void {
    const server = this.#servers[serverIndex];
    const listen = this.#settings.servers[serverIndex]?.listen[listenIndex];
    if (server === undefined || listen === undefined) throw new RangeError("no such listen");
    try {
      server.transport.admit(client);
    } catch (error) {
      server.errorLog.write("alert", reason(error));
      client.destroy();
      return;
    }
    const session = new Session(server, client, ++this.#accepted, (ended) => {
      this.#sessions.delete(ended);
      if (this.#draining && this.#sessions.size === 0) this.#idle();
    });
    this.#sessions.add(session);
    session.start(listen);
  }

  /** Takes no more connections, and is idle once those that are logged in have ended. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.log.write("notice", "gracefully shutting down");
    for (const listener of this.#listeners) listener.close();
    for (const session of this.#sessions) session.shutDown();
    if (this.#sessions.size === 0) this.#idle();
  }

  reopen(): void {
    this.log.write("notice", "reopening logs");
    this.#sinks.reopen();
  }

  /** Says what went wrong, and goes on. */
  fault(error: Error): void {
    this.log.write("alert", `fault: ${error.stack ?? error.message}`);
  }

  /** Ends all sessions at once. */
  stop(): void {
    for (const listener of this.#listeners) listener.close();
    for (const session of this.#sessions) session.terminate();
  }
}

function lookupTls(server: ServerSettings): SocketClientTls | null {
  if (!server.auth_http.https) return null;
  const { auth_http_ssl_verify: verify, auth_http_trusted_certificate: trusted } = server;
  return new SocketClientTls({ verify, trusted });
}
