/** The ways out of this process, as a server's directives and Java's properties say: directly, or through proxies. */
import { unixPath } from "../../../shared/address.ts";
import type { ClientTlsContexts } from "../../certificates/index.ts";
import type { OutboundProxy, RelaySettings, ServerSettings } from "../../config/index.ts";
import {
  CachingAuthority,
  CircuitBreaker,
  Endpoint,
  HttpResponder,
  type Relay,
} from "../../lookup/index.ts";
import type { HostResolver } from "../../resolver/index.ts";
import type { Server } from "../../session/index.ts";
import { type Dials, SocketClientTls, type Transport } from "../../transport/index.ts";
import {
  type Dial,
  LocalAddresses,
  type Way,
  always,
  direct,
  outbound,
  proxied,
  tunnel,
} from "../../upstream/index.ts";

export function waysUpstream(
  { outbound: { clear, tls, bypass }, proxy_bind: bind, proxy_socket_keepalive }: ServerSettings,
  transport: Transport,
  names: HostResolver,
): Server["ways"] {
  const options = { bind, keepAlive: proxy_socket_keepalive };
  const dials: Dials = { dial: (to, signal) => transport.dial(to, signal, options) };
  const near = direct(dials, bind === null ? names : reachableFrom(bind, names));
  const local = new LocalAddresses(names);
  const through = (proxy: OutboundProxy | null): Way =>
    proxy === null
      ? always(near)
      : outbound(bypass, near, proxied(dialThrough(proxy, dials)), local);
  return { clear: through(clear), tls: through(tls) };
}

/** Names whose addresses are of the family of ours, where they have such; else the dialling tells of it. */
function reachableFrom(bind: string, names: HostResolver): HostResolver {
  return {
    addresses: async (host, signal) => {
      const all = await names.addresses(host, signal);
      const usable = all.filter((address) => address.includes(":") === bind.includes(":"));
      return usable.length === 0 ? all : usable;
    },
  };
}

export function lookupAuthority(
  server: ServerSettings,
  transport: Transport,
  contexts: ClientTlsContexts,
): CachingAuthority {
  const tls = server.lookupTls === null ? null : contexts.of(server.lookupTls);
  const dial = dialLookups(server, transport);
  const endpoint = new Endpoint(transport, { ...server, tls }, dial);
  return new CachingAuthority(new CircuitBreaker(new HttpResponder(endpoint)), server);
}

/** @param failed hears why a lookup could not be answered */
export function relayTo(
  settings: RelaySettings,
  transport: Transport,
  contexts: ClientTlsContexts,
  failed: Relay["failed"],
): Relay {
  const tls = settings.lookupTls === null ? null : contexts.of(settings.lookupTls);
  const dial = dialLookups(settings, transport);
  // What nginx gets is the endpoint's own bytes.
  const asked = { ...settings, tls, auth_http_unescape: false };
  return { ...settings, transport, endpoint: new Endpoint(transport, asked, dial), failed };
}

function dialLookups(
  {
    auth_http: { host },
    auth_http_proxy: proxy,
  }: Pick<ServerSettings, "auth_http" | "auth_http_proxy">,
  transport: Transport,
): Dial {
  return proxy === null || unixPath(host) !== null
    ? (to, signal) => transport.dial(to, signal)
    : dialThrough(proxy, transport);
}

function dialThrough(proxy: OutboundProxy, transport: Dials): Dial {
  const tls =
    proxy.scheme === "https" ? new SocketClientTls({ verify: true, trusted: null }) : null;
  return tunnel(transport, proxy, tls);
}
