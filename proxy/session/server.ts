/** A `server {}` at work: its settings, and everything that its sessions share. Made once for a configuration. */
import type { ServerSettings } from "../config/index.ts";
import type { Limiter, RejectionCounts } from "../limits/index.ts";
import type { LookupClient } from "../lookup/index.ts";
import type { AccessLog, ErrorLog, WorkerMetrics } from "../observe/index.ts";
import type { Protocol } from "../protocols/index.ts";
import type { Resolver } from "../resolver/index.ts";
import type { ClientTls, ServerTls, Transport } from "../transport/index.ts";
import type { Health, OutboundRoute } from "../upstream/index.ts";
import type { ServerLimits } from "./session-limits.ts";

export interface Server {
  readonly settings: ServerSettings;
  readonly protocol: Protocol;
  /** Null where the server never speaks TLS. */
  readonly tls: ServerTls | null;
  /** True for a balancer that is believed (`set_real_ip_from`). */
  readonly trusts: (host: string) => boolean;
  /** Resolves the names of clients; null where no peer is told them. */
  readonly resolver: Resolver | null;
  readonly lookup: LookupClient;
  /** The routes to upstreams under TLS from the first byte, and to all others. */
  readonly routes: { readonly clear: OutboundRoute; readonly tls: OutboundRoute };
  /** Shared by all servers of a process. */
  readonly health: Health;
  /** Null where no limit is configured. */
  readonly limits: ServerLimits | null;
  /** Grants the claims of `limit_conn` and `limit_login_rate`. */
  readonly limiter: Limiter;
  /** Shared by all servers of a process. */
  readonly rejections: RejectionCounts;
  /** Towards upstreams. */
  readonly upstreamTls: ClientTls;
  readonly transport: Transport;
  readonly metrics: WorkerMetrics;
  readonly errorLog: ErrorLog;
  readonly accessLog: AccessLog;
}
