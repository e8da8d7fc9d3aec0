/** What a configuration says, ready to use. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { LookupEndpoint } from "./modules/auth-http/auth-http.ts";
import type { Place } from "./language/error.ts";
import type { ErrorLogTarget } from "./modules/log/error-log.ts";
import type { ConnectionLimit } from "./modules/mail/limit.ts";
import type { Outbound } from "./modules/proxy/outbound-proxy.ts";
import type { RelaySettings } from "./modules/auth-http/relay.ts";
import type { EventValues, MailValues, MainValues, ServerValues } from "./table.ts";
import type { ClientTlsSettings, KeyMaterials, TlsSettings } from "./tls/index.ts";

type Replaced = "protocol" | "auth_http" | "error_log" | "limit_conn" | "limit_conn_zone";

export interface ServerSettings extends Omit<ServerValues, Replaced> {
  /** Where its `server {` stands. */
  readonly place: Place;
  readonly protocol: ProtocolName;
  readonly auth_http: LookupEndpoint;
  readonly error_log: readonly ErrorLogTarget[];
  /** `limit_conn`, each with its zone. */
  readonly connectionLimits: readonly ConnectionLimit[];
  /** Null where the server never speaks TLS: there the `ssl_*` files are not even looked at, as in nginx. */
  readonly tls: TlsSettings | null;
  /** Towards upstreams; whether they want it is only known once a lookup has named one. */
  readonly proxyTls: ClientTlsSettings;
  /** Towards the lookup endpoint; null where it is not `https://`. */
  readonly lookupTls: ClientTlsSettings | null;
  readonly outbound: Outbound;
}

/** Plain data that can be sent to a worker process. */
export interface WorkerSettings extends Omit<MainValues, "error_log">, EventValues, MailValues {
  /** The main configuration's absolute path. */
  readonly file: string;
  readonly error_log: readonly ErrorLogTarget[];
  readonly servers: readonly ServerSettings[];
  /** Null where there is no `auth_http_relay`. */
  readonly relay: RelaySettings | null;
  /** What nginx warns of, and what we doubt. */
  readonly warnings: readonly string[];
  /** What Postern does otherwise than nginx: one sentence each. */
  readonly notices: readonly string[];
}

export interface Settings extends WorkerSettings {
  /** What files hold that may be renewed: certificates, their keys, and ticket keys. */
  readonly keyMaterials: KeyMaterials;
}
