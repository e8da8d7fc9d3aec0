/** Why something on the way came to nothing. */
import { reason } from "../reason.ts";
import { OutboundProxyError } from "../upstream/index.ts";

/** What gave up knows better than what was given up, unless that tells which proxy it was. */
export function whyFailed(error: unknown, signal: AbortSignal): string {
  return reason(signal.aborted && !(error instanceof OutboundProxyError) ? signal.reason : error);
}
