/** Ours: a lookup endpoint on this machine, for a stock nginx, that asks ours over HTTPS. */
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
import type { ClientTlsSettings, TlsReader } from "../../tls/index.ts";
import { text } from "../../language/values.ts";

/** Where lookups are taken, and the endpoint that they are passed on to. */
export interface RelaySettings {
  readonly listen: Listen;
  readonly auth_http: LookupEndpoint;
  /** ms */
  readonly auth_http_timeout: number;
  readonly auth_http_keepalive: boolean;
  readonly auth_http_proxy: OutboundProxy | null;
  /** Null where the endpoint is not `https://`. */
  readonly lookupTls: ClientTlsSettings | null;
}

/** `ADDR:PORT`. Passwords come in by it in the clear, so it is for this machine alone. */
function loopback(directive: Directive): Listen {
  const where = `"${directive.name}" directive`;
  const given = text(directive);
  const { host, port } = hostAndPort(given, "", where, directive);
  const address = parseIp(host);
  if (address?.range() !== "loopback") {
    throw new ConfigError(`"${given}" is no loopback address in ${where}`, directive);
  }
  return { host, port, ...listenParameters([], directive), place: toPlace(directive) };
}

export const relayRows = {
  auth_http_relay: { in: ["mail"], args: 1, read: once(loopback), default: null as Listen | null },
} satisfies Rows;

/** @throws ConfigError where there is nobody to pass lookups on to, or only the relay itself */
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
    throw new ConfigError('"auth_http_relay" would ask itself', listen.place);
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
