/** The worker's end: `POST URL/health`, and why `URL/live` can be no line. */
import type { HealthReport } from "../../shared/fleet.ts";
import type { FleetSettings } from "../config/index.ts";
import { reason } from "../reason.ts";
import { version } from "../version.ts";

/** @throws Error where it is not known to have been heard */
export type PostReports = (reports: readonly HealthReport[]) => Promise<void>;

/** ms for an answer. */
const PATIENCE = 10_000;

export function postReportsTo(settings: FleetSettings): PostReports {
  return async (reports) => {
    const status = await ask(settings, "health", {
      method: "POST",
      headers: { ...headersFor(settings), "Content-Type": "application/json" },
      body: JSON.stringify({ reports }),
    });
    if (status >= 300) throw new Error(`${settings.url} answered ${status}`);
  };
}

/** A WebSocket that is not opened does not say why; a request to the same place does. */
export async function probeLive(
  settings: FleetSettings,
): Promise<{ readonly refused: boolean; readonly why: string }> {
  const { url } = settings;
  try {
    const status = await ask(settings, "live", { headers: headersFor(settings) });
    const refused = status === 401 || status === 403;
    const isOpen = status === UPGRADE_REQUIRED;
    return {
      refused,
      why: isOpen ? `${url} keeps no WebSocket open` : `${url} answered ${status}`,
    };
  } catch (error) {
    return { refused: false, why: reason(error) };
  }
}

const UPGRADE_REQUIRED = 426;

export function headersFor({ key }: FleetSettings): Record<string, string> {
  return { Authorization: `Bearer ${key}`, "User-Agent": `postern/${version}` };
}

/** By Node's own client: this is no mail, and nobody waits for it. @returns the status */
async function ask({ url }: FleetSettings, path: string, request: RequestInit): Promise<number> {
  const at = `${url}/${path}`;
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    const { status, body } = await fetch(at, { ...request, redirect: "error", signal });
    await body?.cancel();
    return status;
  } catch (error) {
    throw new Error(`${at}: ${reason(innermost(error))}`, { cause: error });
  }
}

/** "fetch failed", it says, and why is inside; once for each address of a name. */
function innermost(error: unknown): unknown {
  if (error instanceof AggregateError) return innermost(error.errors[0]);
  return error instanceof TypeError && error.cause !== undefined ? innermost(error.cause) : error;
}
