/** Ours: a lookup endpoint on this machine for a stock nginx, which forwards lookups over HTTPS. */
import { formatAddress, parseIp } from "../../../../shared/address.ts";
import { type LookupEndpoint, authHttp, authHttpSsl, endpointTls } from "./auth-http.ts";
import { type Rows, once } from "../../language/row.ts";
import { ConfigError, toPlace } from "../../language/error.ts";
import { hostAndPort } from "../../language/hosts/parse.ts";
import type { Listen } from "../mail/listen.ts";
import { listenParameters } from "../mail/listen-parameters.ts";
import { type OutboundProxy, outboundProxy } from "../proxy/outbound-proxy.ts";
import type { Directive } from "../../language/directive.ts";
import { type Scope, placeOf, resolveValues } from "../../language/scope.ts";
import type { TlsReader } from "../../tls/index.ts";
import { text } from "../../language/values.ts";

/** The address that takes lookups, and the endpoint that gets them. */
export interface RelaySettings {
  readonly listen: Listen;
  readonly auth_http: LookupEndpoint;
  /** ms */
  readonly auth_http_timeout: number;
  readonly auth_http_keepalive: boolean;
  readonly auth_http_proxy: OutboundProxy | null;
  /** Index in `TlsSettings.clients`; null where the endpoint is not `https://`. */
  readonly lookupTls: number | null;
}

/** Reads `ADDR:PORT`. Lookups carry passwords unencrypted, so the address must be on loopback. */
function loopback(directive: Directive): Listen {
  const where = `"${directive.name}" directive`;
  const given = text(directive);
  const { host, port } = hostAndPort(given, "", where, directive);
  const address = parseIp(host);
  if (address?.range() !== "loopback") {
    throw new ConfigError(`"${given}" is not a loopback address in ${where}`, directive);
  }
  return { host, port, ...listenParameters([], directive), place: toPlace(directive) };
}

export const relayRows = {
  auth_http_relay: { in: ["mail"], args: 1, read: once(loopback), default: null as Listen | null },
} satisfies Rows;

/** @throws ConfigError where there is no endpoint, or the endpoint is the relay itself */
export function relaySettings(mail: Scope, tls: TlsReader): RelaySettings | null {
  const {
    auth_http_relay: listen,
    auth_http,
    ...values
  } = resolveValues({ ...relayRows, ...authHttp, ...outboundProxy }, [mail]);
  if (listen === null) return null;
  const { auth_http_timeout, auth_http_keepalive, auth_http_proxy } = values;
  if (auth_http === null) {
    throw new ConfigError('no "auth_http" is defined for "auth_http_relay"', listen.place);
  }
  if (formatAddress(auth_http) === formatAddress(listen)) {
    throw new ConfigError('"auth_http_relay" would forward lookups to itself', listen.place);
  }
  const place = placeOf("auth_http", [mail]);
  return {
    listen,
    auth_http,
    auth_http_timeout,
    auth_http_keepalive,
    auth_http_proxy,
    lookupTls: auth_http.https
      ? tls.readAsClient(endpointTls(resolveValues(authHttpSsl, [mail])), place)
      : null,
  };
}
