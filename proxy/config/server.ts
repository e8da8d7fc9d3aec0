import { authHttpSsl, endpointTls } from "./modules/auth-http/auth-http.ts";
import { ConfigError, type Place, toPlace } from "./language/error.ts";
import type { ErrorLogTarget } from "./modules/log/error-log.ts";
import type { JavaRoutes } from "./sources/java/index.ts";
import { connectionLimits } from "./modules/mail/limit.ts";
import { protocolOf } from "./modules/mail/listen.ts";
import { outboundRoutes } from "./modules/proxy/outbound-proxy.ts";
import { proxySsl, upstreamTls } from "./modules/proxy/proxy-ssl.ts";
import { type Scope, placeOf, resolveValues } from "./language/scope.ts";
import type { ServerSettings } from "./settings.ts";
import { type ServerValues, serverRows } from "./directives.ts";
import {
  type PlaceOf,
  type ServerTlsReference,
  type TlsReader,
  type TlsUser,
  ssl,
} from "./tls/index.ts";

/**
 * Turns a `server` block into settings.
 *
 * @throws ConfigError for a missing protocol, endpoint or certificate
 */
export function serverSettings(
  server: Scope,
  mail: Scope,
  outerLogs: readonly ErrorLogTarget[],
  tls: TlsReader,
  java: JavaRoutes,
): ServerSettings {
  const written = resolveValues(serverRows, [server, mail]);
  // The obsolete `ssl on;` puts every socket of the server under TLS.
  const listen = written.listen.map((one) => ({ ...one, ssl: one.ssl || written.ssl }));
  const values = { ...written, listen };
  const { limit_conn, limit_conn_zone, ...kept } = values;
  const { auth_http } = kept;
  const protocol = values.protocol ?? protocolOf(listen);
  if (protocol === undefined) throw new ConfigError("unknown mail protocol for server", server);
  if (auth_http === null) throw new ConfigError('no "auth_http" is defined for server', server);
  const scopes = [server, mail] as const;
  const place = toPlace(server);
  return {
    ...kept,
    place,
    protocol,
    auth_http,
    error_log: values.error_log ?? outerLogs,
    connectionLimits: connectionLimits(limit_conn, limit_conn_zone),
    tls: tlsSettings(values, scopes, tls),
    proxyTls: tls.readAsClient(upstreamTls(resolveValues(proxySsl, scopes)), place),
    lookupTls: auth_http.https
      ? tls.readAsClient(endpointTls(resolveValues(authHttpSsl, scopes)), place)
      : null,
    outbound: outboundRoutes(values, java[protocol]),
  };
}

function tlsSettings(
  values: Pick<ServerValues, "listen" | "starttls" | "server_name">,
  scopes: readonly [server: Scope, mail: Scope],
  reader: TlsReader,
): ServerTlsReference | null {
  const places: PlaceOf = (name) => placeOf(name, scopes);
  const user = tlsUser(values, places, toPlace(scopes[0]));
  if (user === null) return null;
  return reader.read(resolveValues(ssl, scopes), user, places, values.server_name);
}

/** The directive that needs TLS, for errors. Like nginx's, they name the last `listen ... ssl` rather than `starttls`. */
function tlsUser(
  { listen, starttls }: Pick<ServerValues, "listen" | "starttls">,
  places: PlaceOf,
  server: Place,
): TlsUser | null {
  const implicit = listen.findLast((each) => each.ssl);
  if (implicit !== undefined) return { name: "listen ... ssl", place: implicit.place, server };
  return starttls === "off" ? null : { name: "starttls", place: places("starttls"), server };
}
