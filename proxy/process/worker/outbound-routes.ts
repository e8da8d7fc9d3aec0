/** The routes out of this process, from a server's directives and Java's properties: direct, or through proxies. */
import type { OutboundProxy, ServerSettings } from "../../config/index.ts";
import type { HostResolver } from "../../resolver/index.ts";
import type { Server } from "../../session/index.ts";
import { type Dial, SocketClientTls, type Transport } from "../../transport/index.ts";
import {
  LocalAddresses,
  type OutboundRoute,
  direct,
  guarded,
  permittedUpstreams,
  proxied,
  throughProxy,
  tunnel,
  tunnelTimedOut,
} from "../../upstream/index.ts";

export function outboundRoutes(
  settings: ServerSettings,
  transport: Transport,
  resolver: HostResolver,
): Server["routes"] {
  const { outbound, proxy_bind: bind, proxy_socket_keepalive } = settings;
  const { clear, tls, bypass } = outbound;
  const permitted = permittedUpstreams(settings);
  const options = { bind, keepAlive: proxy_socket_keepalive };
  const dial: Dial = (to, receiver) => transport.dial(to, receiver, options);
  const usable = bind === null ? resolver : reachableFrom(bind, resolver);
  const straight = guarded(direct(dial, usable), permitted);
  const local = new LocalAddresses(resolver);
  const route = (proxy: OutboundProxy | null): OutboundRoute => {
    if (proxy === null) return () => straight;
    const tunnelled = guarded(
      proxied(dialThrough(proxy, dial), () => tunnelTimedOut(proxy)),
      permitted,
    );
    return throughProxy(bypass, straight, tunnelled, local);
  };
  return { clear: route(clear), tls: route(tls) };
}

/** Prefers addresses of the local address's family; where a name has none, the dial reports it. */
function reachableFrom(bind: string, resolver: HostResolver): HostResolver {
  return {
    addresses: async (host, signal) => {
      const all = await resolver.addresses(host, signal);
      const usable = all.filter((address) => address.includes(":") === bind.includes(":"));
      return usable.length === 0 ? all : usable;
    },
  };
}

export function dialThrough(proxy: OutboundProxy, dial: Dial): Dial {
  const tls =
    proxy.scheme === "https" ? new SocketClientTls({ verify: true, trusted: null }) : null;
  return tunnel(dial, proxy, tls);
}
