/** The lookup clients of a worker's servers, and its relay. */
import { unixPath } from "../../../shared/address.ts";
import type { RelaySettings, ServerSettings } from "../../config/index.ts";
import { HttpEndpoint, LookupClient, type Relay } from "../../lookup/index.ts";
import type { Revocations } from "../../revocation/index.ts";
import type { Dial, Transport } from "../../transport/index.ts";
import type { ClientTlsContexts } from "../../certificates/index.ts";
import { dialThrough } from "./outbound-routes.ts";

export function lookupClient(
  server: ServerSettings,
  transport: Transport,
  contexts: ClientTlsContexts,
  revocations: Revocations,
): LookupClient {
  const tls = server.lookupTls === null ? null : contexts.of(server.lookupTls);
  const dial = dialEndpoint(server, transport);
  const endpoint = new HttpEndpoint(transport, { ...server, tls }, dial);
  return new LookupClient(endpoint, server, { revocations });
}

/** @param failed hears why a lookup could not be answered */
export function lookupRelay(
  settings: RelaySettings,
  transport: Transport,
  contexts: ClientTlsContexts,
  failed: Relay["failed"],
): Relay {
  const tls = settings.lookupTls === null ? null : contexts.of(settings.lookupTls);
  const dial = dialEndpoint(settings, transport);
  // nginx gets the endpoint's own bytes.
  const endpoint = new HttpEndpoint(
    transport,
    { ...settings, tls, auth_http_unescape: false },
    dial,
  );
  return { ...settings, transport, endpoint, failed };
}

function dialEndpoint(
  {
    auth_http: { host },
    auth_http_proxy: proxy,
  }: Pick<ServerSettings, "auth_http" | "auth_http_proxy">,
  transport: Transport,
): Dial {
  const dial: Dial = (to, receiver) => transport.dial(to, receiver);
  return proxy === null || unixPath(host) !== null ? dial : dialThrough(proxy, dial);
}
