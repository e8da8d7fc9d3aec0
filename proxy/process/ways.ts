/** The ways out of this process, as a server's directives and Java's properties say: directly, or through proxies. */
import { unixPath } from "../../shared/address.ts";
import type { OutboundProxy, ServerSettings } from "../config/index.ts";
import type { Names } from "../resolver/index.ts";
import type { Server } from "../session/index.ts";
import { SocketClientTls, type Transport } from "../transport/index.ts";
import {
  type Dial,
  LocalAddresses,
  type Way,
  always,
  direct,
  outbound,
  proxied,
  tunnel,
} from "../upstream/index.ts";

export function waysUpstream(
  { outbound: { clear, tls, bypass } }: ServerSettings,
  transport: Transport,
  names: Names,
): Server["ways"] {
  const near = direct(transport, names);
  const local = new LocalAddresses(names);
  const through = (proxy: OutboundProxy | null): Way =>
    proxy === null
      ? always(near)
      : outbound(bypass, near, proxied(dialThrough(proxy, transport)), local);
  return { clear: through(clear), tls: through(tls) };
}

export function dialLookups(
  { auth_http: { host }, auth_http_proxy: proxy }: ServerSettings,
  transport: Transport,
): Dial {
  return proxy === null || unixPath(host) !== null
    ? (to, signal) => transport.dial(to, signal)
    : dialThrough(proxy, transport);
}

function dialThrough(proxy: OutboundProxy, transport: Transport): Dial {
  const tls =
    proxy.scheme === "https" ? new SocketClientTls({ verify: true, trusted: null }) : null;
  return tunnel(transport, proxy, tls);
}
