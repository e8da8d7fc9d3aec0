/** The facts that telemetry collects about a session, and their form in each log. Never a password. */
import { formatAddress } from "../../shared/address.ts";
import { decoded } from "../bytes.ts";
import {
  type LiveSession,
  type SessionRecord,
  type SessionState,
  clipped,
} from "../observe/index.ts";
import type { Address } from "../transport/index.ts";
import type { Client } from "./client.ts";
import type { Server } from "./server.ts";
import { quoted } from "../quoted.ts";

/** Bytes spliced towards each side. */
export interface RelayedBytes {
  readonly toUpstream: number;
  readonly toClient: number;
}

const NO_BYTES: RelayedBytes = { toUpstream: 0, toClient: 0 };

export class RecordBuilder {
  /** The session's number in this process. */
  readonly number: number;
  readonly #server: Server;
  readonly #client: Client;
  /** Asked at the start, because a socket that has closed knows its address no more. */
  readonly #local: Address | null;
  readonly #start = performance.now();
  /** The address of the listening socket, which is how nginx names the server. */
  listen: Address | null = null;
  startTls = false;
  /** The upstreams that were tried, in order. */
  readonly upstreams: Address[] = [];
  /** The time of the last lookup, ms. */
  lookupTime: number | null = null;
  /** The time of the last dial, ms. */
  connectTime: number | null = null;
  /** The time of a successful upstream login, ms. */
  upstreamTime: number | null = null;
  /** In the numbers of nginx's stream module. */
  status = 200;
  relayed = NO_BYTES;

  constructor(server: Server, client: Client, number: number) {
    this.number = number;
    this.#server = server;
    this.#client = client;
    this.#local = server.accessLog.enabled ? client.connection.local : null;
  }

  upstream(address: Address): void {
    const last = this.upstreams.at(-1);
    if (last?.host !== address.host || last.port !== address.port) this.upstreams.push(address);
  }

  /**
   * The text that nginx writes behind a message.
   *
   * @param doing nginx's words for the present step; may be empty
   */
  context(doing: string): string {
    const { address, login } = this.#client;
    let text = doing === "" ? "" : ` while ${doing}`;
    text += `, client: ${address.host}${this.startTls ? " using starttls" : ""}`;
    if (this.listen !== null) text += `, server: ${formatAddress(this.listen)}`;
    if (login !== null && login !== "") text += `, login: ${quoted(decoded(login))}`;
    const upstream = this.upstreams.at(-1);
    if (upstream !== undefined) text += `, upstream: ${formatAddress(upstream)}`;
    return text;
  }

  /** A session that goes on. @param relayed null before the login */
  live(state: SessionState, relayed: RelayedBytes | null): LiveSession {
    const { address, trace, connection, typedLogin, login } = this.#client;
    const replaced = login === typedLogin ? null : login;
    const upstream = this.upstreams.at(-1);
    return {
      connection: this.number,
      trace_id: trace,
      protocol: this.#server.protocol.name,
      state,
      remote_addr: address.host,
      remote_port: address.port,
      ssl_protocol: connection.tls?.protocol ?? null,
      user: typedLogin === null ? null : clipped(decoded(typedLogin)),
      auth_user: replaced === null ? null : clipped(decoded(replaced)),
      upstream_addr: upstream === undefined ? null : formatAddress(upstream),
      bytes_received: relayed?.toUpstream ?? 0,
      bytes_sent: relayed?.toClient ?? 0,
      session_time: seconds(performance.now() - this.#start),
    };
  }

  /** A session that is over. @param end in words */
  build(end: string): SessionRecord {
    const { address, trace, connection, login, host, attempts } = this.#client;
    const { tls } = connection;
    return {
      connection: this.number,
      trace_id: trace,
      protocol: this.#server.protocol.name,
      remote_addr: address.host,
      remote_port: address.port,
      remote_host: this.#server.resolver === null ? null : host,
      server_addr: this.#local?.host ?? "",
      server_port: this.#local?.port ?? 0,
      ssl_protocol: tls?.protocol ?? null,
      ssl_cipher: tls?.cipher ?? null,
      ssl_server_name: tls?.serverName ?? null,
      ssl_session_reused: tls?.resumed ?? null,
      login: login === null ? null : decoded(login),
      login_attempts: attempts,
      lookup_time: seconds(this.lookupTime),
      upstream_addr:
        this.upstreams.length === 0 ? null : this.upstreams.map(formatAddress).join(", "),
      upstream_connect_time: seconds(this.connectTime),
      upstream_login_time: seconds(this.upstreamTime),
      bytes_received: this.relayed.toUpstream,
      bytes_sent: this.relayed.toClient,
      session_time: seconds(performance.now() - this.#start),
      status: this.status,
      logged_in: this.upstreamTime !== null,
      end,
    };
  }
}

function seconds(ms: number): number;
function seconds(ms: number | null): number | null;
function seconds(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms) / 1000;
}
