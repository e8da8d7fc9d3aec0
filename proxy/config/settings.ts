/** The settings that a configuration yields, checked and complete. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { LookupEndpoint } from "./modules/auth-http/auth-http.ts";
import type { Place } from "./language/error.ts";
import type { ErrorLogTarget } from "./modules/log/error-log.ts";
import type { ConnectionLimit } from "./modules/mail/limit.ts";
import type { OutboundRoutes } from "./modules/proxy/outbound-proxy.ts";
import type { RelaySettings } from "./modules/auth-http/relay.ts";
import type { EventValues, MailValues, MainValues, ServerValues } from "./directives.ts";
import type { ServerTlsReference } from "./tls/index.ts";

type Replaced = "protocol" | "auth_http" | "error_log" | "limit_conn" | "limit_conn_zone";

export interface ServerSettings extends Omit<ServerValues, Replaced> {
  /** The place of its `server {`. */
  readonly place: Place;
  readonly protocol: ProtocolName;
  readonly auth_http: LookupEndpoint;
  readonly error_log: readonly ErrorLogTarget[];
  /** `limit_conn`, each with its zone. */
  readonly connectionLimits: readonly ConnectionLimit[];
  /** Null where the server never speaks TLS. The `ssl_*` files are not read then, as in nginx. */
  readonly tls: ServerTlsReference | null;
  /** Index in `TlsSettings.clients`, towards upstreams. It is always there: only a lookup says if its upstream wants TLS. */
  readonly proxyTls: number;
  /** Index in `TlsSettings.clients`, towards the lookup endpoint; null where it is not `https://`. */
  readonly lookupTls: number | null;
  readonly outbound: OutboundRoutes;
}

/** Plain data that can be sent to a worker process. */
export interface Settings extends Omit<MainValues, "error_log">, EventValues, MailValues {
  /** The main configuration's absolute path. */
  readonly file: string;
  readonly error_log: readonly ErrorLogTarget[];
  readonly servers: readonly ServerSettings[];
  /** Null without `auth_http_relay`. */
  readonly relay: RelaySettings | null;
  /** Warnings of nginx's and of ours (`lint.ts`). */
  readonly warnings: readonly string[];
  /** Differences from nginx: one sentence each. */
  readonly notices: readonly string[];
}
