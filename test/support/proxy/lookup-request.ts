// A lookup request: for anna, by IMAP, in the clear, unless a test changes it.
import {
  HttpEndpoint,
  LookupClient,
  type LookupReply,
  type LookupRequest,
} from "../../../proxy/lookup/index.ts";
import type { Transport } from "../../../proxy/transport/index.ts";

export function lookupRequest(changes: Partial<LookupRequest> = {}): LookupRequest {
  return {
    trace: "0af7651916cd43dd8448eb211c80319c",
    credentials: { method: "plain", login: "anna", password: "s3cret" },
    protocol: "imap",
    attempt: 1,
    client: "192.0.2.9",
    clientHost: "[UNAVAILABLE]",
    proxied: null,
    tls: null,
    ...changes,
  };
}

type LookupSettings = ConstructorParameters<typeof LookupClient>[1];
type Settings = ConstructorParameters<typeof HttpEndpoint>[1] & LookupSettings;

/** The settings of a lookup client whose endpoint is scripted. */
export function lookupSettings(changes: Partial<LookupSettings> = {}): LookupSettings {
  return {
    auth_http: { https: true, host: "e.test", port: 443, hostHeader: "e.test", uri: "/auth" },
    auth_http_keepalive: true,
    auth_http_pass_client_cert: false,
    auth_http_timeout: 60_000,
    auth_http_header: [],
    auth_http_cache: null,
    ...changes,
  };
}

export function lookupClientOf(transport: Transport, settings: Settings): LookupClient {
  return new LookupClient(new HttpEndpoint(transport, settings), settings);
}

/**
 * Awaits the reply to a lookup.
 *
 * @param signal gives up; a TimeoutError is a timeout, and any other reason a client that leaves
 * @throws the signal's reason
 */
export function lookUp(
  client: LookupClient,
  request: LookupRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<LookupReply> {
  return new Promise((resolve, reject) => {
    const pending = client.lookup(request, { answered: resolve });
    signal.addEventListener("abort", () => {
      const why: unknown = signal.reason;
      if (why instanceof DOMException && why.name === "TimeoutError") pending?.timedOut();
      else pending?.cancel();
      reject(why);
    });
  });
}
