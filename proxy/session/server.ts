/** A `server {}` at work: its settings, and everything that its sessions share. */
import type { ServerSettings } from "../config/index.ts";
import type { RejectionCounts, Limiter } from "../limits/index.ts";
import type { CachingAuthority } from "../lookup/index.ts";
import type { AccessLog, ErrorLog, WorkerMetrics } from "../observe/index.ts";
import type { Protocol } from "../protocols/index.ts";
import type { Resolver } from "../resolver/index.ts";
import type { ClientTls, ServerTls, Transport } from "../transport/index.ts";
import type { Health, Way } from "../upstream/index.ts";

export interface Server {
  readonly settings: ServerSettings;
  readonly protocol: Protocol;
  /** Null where the server never speaks TLS. */
  readonly tls: ServerTls | null;
  /** Whether a peer's PROXY header is believed. */
  readonly trusts: (host: string) => boolean;
  /** Whom to ask for the names of clients; null where nobody wants to know them. */
  readonly resolver: Resolver | null;
  readonly authority: CachingAuthority;
  /** The ways to upstreams: to those under TLS from the first byte, and to all others. */
  readonly ways: { readonly clear: Way; readonly tls: Way };
  /** Which upstreams fail; all servers of a process share what they see. */
  readonly health: Health;
  /** Who grants what `limit_conn` and `limit_login_rate` limit. */
  readonly limiter: Limiter;
  /** Who was sent away, and why; all servers of a process count together. */
  readonly rejections: RejectionCounts;
  /** Towards upstreams. */
  readonly upstreamTls: ClientTls;
  readonly transport: Transport;
  readonly metrics: WorkerMetrics;
  readonly errorLog: ErrorLog;
  readonly accessLog: AccessLog;
}
