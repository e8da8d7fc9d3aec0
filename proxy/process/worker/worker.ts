/** A worker process: accepts connections and runs their sessions. */
import { formatAddress } from "../../../shared/address.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import { type Listen, type ServerSettings, type Settings } from "../../config/index.ts";
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
import {
  type HostResolver,
  type Resolver,
  Resolvers,
  SystemResolver,
  configuredResolver,
} from "../../resolver/index.ts";
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
import { Health } from "../../upstream/index.ts";
import { type Relay, RelayedLookup } from "../../lookup/index.ts";
import { lookupClient, lookupRelay } from "./lookups.ts";
import { outboundRoutes } from "./outbound-routes.ts";
import { Doors } from "./accept-throttle.ts";
import { type Binding, bindings } from "../ipc/bindings.ts";
import type { SessionsPage } from "../ipc/calls.ts";
import { reservedConnections } from "../os/limits.ts";

/** ms for last words and last log lines to go out before a worker ends. */
export const LAST_WORDS = 200;

/** Sessions that are told of at once: few enough that those being served do not notice. */
const PAGE = 200;

/** What a worker has of the primary. */
export interface Resources {
  /** The same for all workers. */
  readonly ticketKeys: TicketKeys;
  /** Certificates and keys of the configuration. */
  readonly tls: TlsMaterial;
  /** Asks for certificates that the settings do not hold. */
  readonly pairs: CertificateSource["pairs"];
  /** Counts what all workers hold together. */
  readonly limiter: Limiter;
  /** Asks for the sockets that it was told to `listen` to, again. */
  readonly reopen: () => void;
}

export class Worker {
  /** For what is not about a session. */
  readonly log: ErrorLog;
  /** Who was sent away, and why. */
  readonly rejections = new RejectionCounts();
  readonly #bindings: readonly Binding[];
  readonly #transport: Transport;
  readonly #servers: readonly Server[];
  readonly #doors: Doors;
  readonly #relay: Relay | null;
  readonly #sessions = new Set<Session | RelayedLookup>();
  readonly #sinks = new Sinks((level, message) => this.log.write(level, message));
  /** Null where nobody is to be told. */
  readonly #reporter: HealthReporter | null;
  readonly #metrics: WorkerMetrics;
  readonly #tls: ServerTlsContexts;
  readonly #idle: () => void;
  #accepted = 0;
  #draining = false;

  /** @param idle called when a draining worker has no session left */
  constructor(
    settings: Settings,
    { ticketKeys, tls: material, pairs, limiter, reopen }: Resources,
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
    this.#doors = new Doors(this.log, transport, reopen);
    const resolvers = new Resolvers(transport);
    const system = new SystemResolver();
    const { fleet } = settings;
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
      lookup: lookupClient(server, transport, clientTls),
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

  /** Begins to accept from a socket; the index is that of its binding. */
  listen(index: number, socket: BoundSocket): void {
    const listener = accept(
      socket,
      this.#binding(index).own.listen,
      (client) => this.take(index, client),
      (error) => this.deaf(index, error),
    );
    this.#doors.open(listener);
  }

  /** A socket cannot be accepted from. */
  deaf(index: number, { message }: Error): void {
    const address = formatAddress(this.#binding(index).own.listen);
    this.log.write("alert", `listen() to ${address}: ${message}`);
  }

  #binding(index: number): Binding {
    const binding = this.#bindings[index];
    if (binding === undefined) throw new RangeError("no such socket");
    return binding;
  }

  /** Serves a client that came by that socket. */
  take(index: number, client: Connection): void {
    const { own, others } = this.#binding(index);
    const { server: at, listen } = others.get(client.local.host) ?? own;
    const server = at === null ? null : this.#servers[at];
    if (server === undefined) throw new RangeError("no such server");
    try {
      this.#transport.admit(client);
    } catch (error) {
      this.rejections.count("worker_connections");
      (server?.errorLog ?? this.log).write("alert", reason(error));
      if (server !== null) sayFull(server, listen, client);
      client.destroy();
      return;
    }
    this.#doors.mind();
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

  /** Takes no more connections, and is idle once those that are logged in have ended. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.log.write("notice", "gracefully shutting down");
    this.#doors.shut();
    this.#reporter?.close();
    for (const session of this.#sessions) session.shutDown();
    if (this.#sessions.size === 0) this.#idle();
  }

  /**
   * Ends a user's sessions; what is remembered of their lookups is asked anew.
   *
   * @param user by the name that was typed, or the one that replaced it
   * @returns how many sessions have ended
   */
  kick(user: ByteString): number {
    for (const { lookup } of this.#servers) lookup.forget(user);
    let ended = 0;
    for (const session of this.#sessions) {
      if (session instanceof Session && session.kick(user)) ended++;
    }
    return ended;
  }

  /** Some of its sessions, in the order in which they came. @param after the number of the last one known */
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

  /** Everything that it has counted. */
  counts(): Snapshot {
    return this.#metrics.snapshot();
  }

  reopen(): void {
    this.log.write("notice", "reopening logs");
    this.#sinks.reopen();
  }

  /** What is remembered of anybody's lookups is asked anew. */
  forget(): void {
    for (const { lookup } of this.#servers) lookup.forgetAll();
  }

  /** Says what went wrong, and goes on. */
  fault(error: Error): void {
    this.log.write("alert", `fault: ${error.stack ?? error.message}`);
  }

  /** Ends all sessions at once. */
  stop(): void {
    this.#doors.shut();
    this.#reporter?.close();
    for (const session of this.#sessions) session.terminate();
  }
}

/** What the kernel takes at once goes out, to clients that can hear of it before a header or a handshake. */
function sayFull({ protocol }: Server, { ssl, proxyProtocol }: Listen, client: Connection): void {
  if (ssl || proxyProtocol) return;
  client.write(protocol.open(false).limited("connections"));
}

/** Only SMTP tells its clients' names. */
function nameResolver({ protocol, resolver }: ServerSettings, all: Resolvers): Resolver | null {
  return protocol === "smtp" && resolver !== null ? all.get(resolver) : null;
}

/** Null for the system's. */
function upstreamNames(
  { resolver, resolver_timeout }: ServerSettings,
  all: Resolvers,
): HostResolver | null {
  return resolver === null ? null : configuredResolver(all.get(resolver), resolver_timeout);
}
