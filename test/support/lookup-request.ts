// Who asks: anna, by IMAP, in the clear, unless a test says otherwise.
import type { LookupRequest } from "../../proxy/lookup/index.ts";

export function lookupRequest(changes: Partial<LookupRequest> = {}): LookupRequest {
  return {
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
