/** Writes lookups to Workers Analytics Engine. docs/worker.md, "Counting logins", lists the columns. */
import { formatNetwork, type Ip } from "../../shared/address.ts";
import { describe, logWarningOnce } from "../log/log.ts";
import type { LookupDecision } from "./decision.ts";
import type { ParsedLookup } from "./parse.ts";

/** Characters. An index has 96 bytes, and a domain is ASCII. */
const MAX_INDEX_LENGTH = 96;

/**
 * Writes a data point without login names, client addresses or other input of the client. The trace leads to the
 * proxy's log, which has more. A failure to write does not fail the lookup.
 *
 * @param dataset undefined if there is no binding
 * @param failedOpen true if failed logins could not be counted, so that this lookup went on without penalties
 */
export function recordLookup(
  dataset: AnalyticsEngineDataset | undefined,
  { protocol, method, client, attempt }: ParsedLookup,
  { outcome, subject }: LookupDecision,
  trace: string,
  failedOpen: boolean,
): void {
  const { domain = "", group = "" } = subject ?? {};
  const reason = outcome.kind === "refused" ? outcome.reason : "";
  const server = outcome.kind === "accepted" ? outcome.server : "";
  const network = client === null ? "" : widerNetwork(client);
  try {
    dataset?.writeDataPoint({
      indexes: [domain.slice(0, MAX_INDEX_LENGTH)],
      blobs: [outcome.kind, reason, protocol, method, group, server, network, trace],
      doubles: [attempt, Number(failedOpen)],
    });
  } catch (error) {
    logWarningOnce(`logins are not counted in Analytics Engine: ${describe(error)}`);
  }
}

/** A network of many clients: an IPv4 /24, or an IPv6 /48, the size of one site (RFC 6177). */
function widerNetwork(address: Ip): string {
  return formatNetwork({ address, prefix: address.kind() === "ipv4" ? 24 : 48 });
}
