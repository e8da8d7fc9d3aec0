/** What logins are counted by, in Workers Analytics Engine. docs/worker.md, "Counting logins", has the columns. */
import { formatNetwork, type Ip } from "../../shared/address.ts";
import { describe, logWarningOnce } from "../log.ts";
import type { Decision } from "./result.ts";
import type { LookupRequest } from "./parse.ts";

/** Characters: an index has 96 bytes, and a domain is ASCII. */
const LONGEST_INDEX = 96;

/**
 * Writes a data point about a lookup: no name, no address of a client, nothing that it has typed. Whoever may
 * know more finds it in the proxy's log, by the trace.
 *
 * @param dataset none where it is not bound; that it fails harms no login
 */
export function record(
  dataset: AnalyticsEngineDataset | undefined,
  { protocol, method, client, attempt }: LookupRequest,
  { outcome, subject }: Decision,
  trace = "",
): void {
  const { domain = "", group = "" } = subject ?? {};
  const reason = outcome.kind === "refused" ? outcome.reason : "";
  const server = outcome.kind === "accepted" ? outcome.server : "";
  const network = client === null ? "" : widerNetwork(client);
  try {
    dataset?.writeDataPoint({
      indexes: [domain.slice(0, LONGEST_INDEX)],
      blobs: [outcome.kind, reason, protocol, method, group, server, network, trace],
      doubles: [attempt],
    });
  } catch (error) {
    logWarningOnce(`logins are not counted in Analytics Engine: ${describe(error)}`);
  }
}

/** That of many: an IPv4 /24, or an IPv6 /48, which is one site's (RFC 6177). */
function widerNetwork(address: Ip): string {
  return formatNetwork({ address, prefix: address.kind() === "ipv4" ? 24 : 48 });
}
