// Who asks: anna, by IMAP, in the clear, unless a test says otherwise.
import {
  type Authority,
  CachingAuthority,
  Endpoint,
  HttpResponder,
  type LookupRequest,
} from "../../proxy/lookup/index.ts";
import type { Transport } from "../../proxy/transport/index.ts";

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

type Settings = ConstructorParameters<typeof Endpoint>[1] &
  ConstructorParameters<typeof CachingAuthority>[1];

export function authorityAt(transport: Transport, settings: Settings): Authority {
  return new CachingAuthority(new HttpResponder(new Endpoint(transport, settings)), settings);
}
