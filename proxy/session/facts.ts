/**
 * What is remembered of a session, and how it reads: behind a message of the error log, among the sessions that
 * go on, in the access log. Never a password.
 */
import type { ByteString } from "../../shared/lookup.ts";
import { decoded } from "../bytes.ts";
import {
  type LiveSession,
  type SessionRecord,
  type SessionState,
  clipped,
} from "../observe/index.ts";
import type { Address, Splice } from "../transport/index.ts";
import type { Client } from "./client.ts";
import type { Server } from "./server.ts";

/** Bytes spliced. */
type Moved = Pick<Splice, "toUpstream" | "toClient">;

export class Facts {
  /** Its number in this process. */
  readonly number: number;
  readonly #server: Server;
  readonly #client: Client;
  /** Asked now: of a socket that has closed it can no longer be told. */
  readonly #local: Address;
  readonly #start = performance.now();
  /** Where the socket listens, which is how nginx names the server. */
  serverName = "";
  startTls = false;
  attempts = 0;
  /** As the client typed it, and as upstreams are to hear it. */
  typed: ByteString | null = null;
  login: ByteString | null = null;
  /** Those that were tried, in order. */
  readonly upstreams: string[] = [];
  /** How long the last ones took, ms. */
  lookupTime: number | null = null;
  connectTime: number | null = null;
  /** Of a login that went well. */
  upstreamTime: number | null = null;
  /** As nginx's stream module has it. */
  status = 200;
  received = 0;
  sent = 0;

  constructor(server: Server, client: Client, number: number) {
    this.number = number;
    this.#server = server;
    this.#client = client;
    this.#local = client.connection.local;
  }

  /**
   * What nginx writes behind a message.
   *
   * @param doing what went on, in nginx's words
   */
  context(doing: string): string {
    const parts = [
      doing === "" ? "" : ` while ${doing}`,
      `, client: ${this.#client.address.host}${this.startTls ? " using starttls" : ""}`,
      `, server: ${this.serverName}`,
    ];
    if (this.login !== null && this.login !== "") parts.push(`, login: "${decoded(this.login)}"`);
    const upstream = this.upstreams.at(-1);
    if (upstream !== undefined) parts.push(`, upstream: ${upstream}`);
    return parts.join("");
  }

  /** How it is now. @param moved by the splice, if there is one */
  current(state: SessionState, moved: Moved | null): LiveSession {
    const { host, port } = this.#client.address;
    const replaced = this.login === this.typed ? null : this.login;
    return {
      connection: this.number,
      trace_id: this.#client.trace,
      protocol: this.#server.protocol.name,
      state,
      remote_addr: host,
      remote_port: port,
      ssl_protocol: this.#client.connection.tls?.protocol ?? null,
      user: this.typed === null ? null : clipped(decoded(this.typed)),
      auth_user: replaced === null ? null : clipped(decoded(replaced)),
      upstream_addr: this.upstreams.at(-1) ?? null,
      bytes_received: moved?.toUpstream ?? 0,
      bytes_sent: moved?.toClient ?? 0,
      session_time: seconds(performance.now() - this.#start),
    };
  }

  /** All of it. @param end how the session ended, in words */
  record(end: string): SessionRecord {
    const { tls } = this.#client.connection;
    const { host, port } = this.#client.address;
    return {
      connection: this.number,
      trace_id: this.#client.trace,
      protocol: this.#server.protocol.name,
      remote_addr: host,
      remote_port: port,
      remote_host: this.#server.resolver === null ? null : this.#client.host,
      server_addr: this.#local.host,
      server_port: this.#local.port,
      ssl_protocol: tls?.protocol ?? null,
      ssl_cipher: tls?.cipher ?? null,
      ssl_server_name: tls?.serverName ?? null,
      ssl_session_reused: tls?.resumed ?? null,
      login: this.login === null ? null : decoded(this.login),
      login_attempts: this.attempts,
      lookup_time: seconds(this.lookupTime),
      upstream_addr: this.upstreams.length === 0 ? null : this.upstreams.join(", "),
      upstream_connect_time: seconds(this.connectTime),
      upstream_login_time: seconds(this.upstreamTime),
      bytes_received: this.received,
      bytes_sent: this.sent,
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
