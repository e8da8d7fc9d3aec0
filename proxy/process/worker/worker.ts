/** Accepts connections and runs their sessions, in a worker process or in the primary itself. */
import { formatAddress } from "../../../shared/address.ts";
import type { Listen, Settings } from "../../config/index.ts";
import { trusts } from "../../config/runtime.ts";
import { HealthReporter, postReportsTo } from "../../fleet/index.ts";
import {
  type CertificateSource,
  ClientTlsContexts,
  type RenewableMaterial,
  ServerTlsContexts,
  type TlsMaterial,
} from "../../certificates/index.ts";
import { RejectionCounts, type Limiter } from "../../limits/index.ts";
import {
  AccessLog,
  ErrorLog,
  type LiveSession,
  Sinks,
  type Snapshot,
  WorkerMetrics,
} from "../../observe/index.ts";
import { configureProtocol } from "../../protocols/index.ts";
import { Resolvers, SystemResolver } from "../../resolver/index.ts";
import { type Server, Session, serverLimits } from "../../session/index.ts";
import {
  type BoundSocket,
  type Connection,
  SocketTransport,
  type TicketKeys,
  type Transport,
  accept,
} from "../../transport/index.ts";
import { reason } from "../../reason.ts";
import {
  type Kick,
  KickList,
  type LineState,
  type RevocationState,
  Revocations,
} from "../../revocation/index.ts";
import { Health } from "../../upstream/index.ts";
import { type Relay, RelayedLookup } from "../../lookup/index.ts";
import { lookupClient, lookupRelay } from "./lookups.ts";
import { nameResolver, upstreamNames } from "./name-resolvers.ts";
import { outboundRoutes } from "./outbound-routes.ts";
import { AcceptThrottle } from "./accept-throttle.ts";
import { type Binding, bindings, reservedConnections } from "../ipc/bindings.ts";
import type { SessionsPage } from "../ipc/calls.ts";

/** ms for the last replies and log lines to go out before a worker ends. */
export const LAST_WORDS = 200;

/** Sessions of a page: so few that listing them delays no session. */
const PAGE = 200;

/** The parts of the primary that a worker uses. */
export interface Resources {
  /** All workers have the same. */
  readonly ticketKeys: TicketKeys;
  /** Certificates and keys of the configuration. */
  readonly tls: TlsMaterial;
  /** Asks for certificates that `tls` does not hold. */
  readonly pairs: CertificateSource["pairs"];
  /** Counts the connections of all workers together. */
  readonly limiter: Limiter;
  /** The revocations that the primary has heard of. */
  readonly revocations: RevocationState;
  /** Asks for another `listen` of every socket. */
  readonly sendSockets: () => void;
}

export class Worker {
  /** The log of the main context, for lines that are about no session. */
  readonly log: ErrorLog;
  /** Connections and logins that were refused, by reason. */
  readonly rejections = new RejectionCounts();
  readonly #bindings: readonly Binding[];
  readonly #transport: Transport;
  readonly #servers: readonly Server[];
  readonly #throttle: AcceptThrottle;
  readonly #relay: Relay | null;
  readonly #sessions = new Set<Session | RelayedLookup>();
  readonly #sinks = new Sinks((level, message) => this.log.write(level, message));
  /** Null without a fleet. */
  readonly #reporter: HealthReporter | null;
  readonly #metrics: WorkerMetrics;
  readonly #revocations: Revocations;
  readonly #tls: ServerTlsContexts;
  readonly #idle: () => void;
  #accepted = 0;
  #draining = false;

  /** @param idle hears that a draining worker has no session */
  constructor(
    settings: Settings,
    { ticketKeys, tls: material, pairs, limiter, revocations, sendSockets }: Resources,
    idle: () => void,
  ) {
    this.#bindings = bindings(settings);
    this.#idle = idle;
    const transport = new SocketTransport(
      settings.worker_connections,
      reservedConnections(settings),
    );
    const sinks = this.#sinks;
    this.log = new ErrorLog(settings.error_log, sinks);
    this.#throttle = new AcceptThrottle(this.log, transport, sendSockets);
    const resolvers = new Resolvers(transport);
    const system = new SystemResolver();
    const { fleet } = settings;
    // Without a fleet no kick can be missed.
    const line = fleet === null ? "connected" : revocations.line;
    this.#revocations = new Revocations(line, revocations);
    this.#reporter = fleet === null ? null : new HealthReporter(postReportsTo(fleet), this.log);
    const health = new Health(this.#reporter);
    const metrics = new WorkerMetrics({
      sessions: () => [...this.#sessions].filter((each) => each instanceof Session),
      aside: () => health.aside(settings.servers),
      refused: () => this.rejections.counts,
      lost: () => sinks.lost,
    });
    this.#metrics = metrics;
    const refused = (why: string): void => this.log.write("error", why);
    const tls = new ServerTlsContexts(material.servers, ticketKeys, { pairs, refused });
    this.#tls = tls;
    const clientTls = new ClientTlsContexts(material.clients);
    this.#transport = transport;
    const { relay } = settings;
    this.#relay =
      relay &&
      lookupRelay(relay, transport, clientTls, (why) => {
        const endpoint = formatAddress(relay.auth_http);
        this.log.write("error", `auth http server ${endpoint} ${why} while relaying a lookup`);
      });
    this.#servers = settings.servers.map((server) => ({
      settings: server,
      protocol: configureProtocol(server),
      tls: tls.of(server),
      trusts: trusts(server.set_real_ip_from),
      resolver: nameResolver(server, resolvers),
      lookup: lookupClient(server, transport, clientTls, this.#revocations),
      routes: outboundRoutes(server, transport, upstreamNames(server, resolvers) ?? system),
      limits: serverLimits(server),
      health,
      upstreamTls: clientTls.of(server.proxyTls),
      limiter,
      rejections: this.rejections,
      transport,
      metrics,
      errorLog: new ErrorLog(server.error_log, sinks),
      accessLog: new AccessLog(server.access_log, sinks),
    }));
  }

  /** Accepts from the socket of a binding. */
  listen(index: number, socket: BoundSocket): void {
    const listener = accept(
      socket,
      this.#binding(index).own.listen,
      (client) => this.accept(index, client),
      (error) => this.listenFailed(index, error),
    );
    this.#throttle.add(listener);
  }

  listenFailed(index: number, { message }: Error): void {
    const address = formatAddress(this.#binding(index).own.listen);
    this.log.write("alert", `listen() to ${address}: ${message}`);
  }

  #binding(index: number): Binding {
    const binding = this.#bindings[index];
    if (binding === undefined) throw new RangeError("no binding with that index");
    return binding;
  }

  /** Serves a client that has connected to the socket of a binding. */
  accept(index: number, client: Connection): void {
    const { own, others } = this.#binding(index);
    const { server: at, listen } = others.get(client.local.host) ?? own;
    const server = at === null ? null : this.#servers[at];
    if (server === undefined) throw new RangeError("no server with that index");
    try {
      this.#transport.admit(client);
    } catch (error) {
      this.rejections.count("worker_connections");
      (server?.errorLog ?? this.log).write("alert", reason(error));
      if (server !== null) replyFull(server, listen, client);
      client.destroy();
      return;
    }
    this.#throttle.check();
    if (server !== null) {
      const session = new Session(server, client, listen, ++this.#accepted, this.#onEnd);
      this.#sessions.add(session);
      session.start();
    } else if (this.#relay !== null) {
      const lookup = new RelayedLookup(this.#relay, client, this.#onEnd);
      this.#sessions.add(lookup);
    }
  }

  readonly #onEnd = (session: Session | RelayedLookup): void => {
    const last = this.#sessions.delete(session) && this.#sessions.size === 0;
    if (this.#draining && last) this.#idle();
  };

  /** True without a session. */
  get isIdle(): boolean {
    return this.#sessions.size === 0;
  }

  /** Accepts no more, ends sessions before login, and is idle after the last session. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.log.write("notice", "gracefully shutting down");
    this.#throttle.close();
    this.#reporter?.close();
    for (const session of this.#sessions) session.shutDown();
    if (this.#sessions.size === 0) this.#idle();
  }

  /**
   * Ends the sessions of revoked logins. No reply to a lookup from before lets such a login in again.
   *
   * @returns how many sessions each kick has ended
   */
  kick(kicks: readonly Kick[]): readonly number[] {
    for (const kick of kicks) this.#revocations.kick(kick);
    const list = new KickList(kicks);
    for (const session of this.#sessions) if (session instanceof Session) session.kick(list);
    return list.ended;
  }

  /** Kicks were lost on their way to the primary. */
  lostKicks(): void {
    this.#revocations.lost();
  }

  /** The line to the fleet has changed; other generations may have none. */
  follow(line: LineState): void {
    if (this.#reporter !== null) this.#revocations.line = line;
  }

  /** Sessions in the order in which they were accepted. @param after only sessions of higher numbers */
  page(after: number): SessionsPage {
    const sessions: LiveSession[] = [];
    for (const session of this.#sessions) {
      if (!(session instanceof Session) || session.number <= after) continue;
      sessions.push(session.live);
      if (sessions.length === PAGE) return { sessions, last: session.number };
    }
    return { sessions, last: null };
  }

  /** Takes renewed certificates and ticket keys, for handshakes from now on. */
  renew(server: number, renewable: RenewableMaterial): void {
    this.#tls.renew(server, renewable);
  }

  renewTickets(keys: TicketKeys): void {
    this.#tls.renewTickets(keys);
  }

  counts(): Snapshot {
    return this.#metrics.snapshot();
  }

  reopen(): void {
    this.log.write("notice", "reopening logs");
    this.#sinks.reopen();
  }

  /** Logs an error that no code has caught. The other sessions go on. */
  fault(error: Error): void {
    this.log.write("alert", `fault: ${error.stack ?? error.message}`);
  }

  /** Ends all sessions. */
  stop(): void {
    this.#throttle.close();
    this.#reporter?.close();
    for (const session of this.#sessions) session.terminate();
  }
}

/** Tells a client as much as the kernel takes at once, unless a PROXY header or a handshake comes first. */
function replyFull({ protocol }: Server, { ssl, proxyProtocol }: Listen, client: Connection): void {
  if (ssl || proxyProtocol) return;
  client.write(protocol.open(false).limited("connections"));
}
