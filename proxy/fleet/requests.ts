/** Requests to the worker's fleet API: `POST URL/health`, and `GET URL/live` without a WebSocket. */
import type { HealthReport } from "../../shared/fleet.ts";
import type { FleetSettings } from "../config/index.ts";
import { reason } from "../reason.ts";
import { version } from "../version.ts";

/** @throws Error where the worker may not have taken the reports */
export type PostReports = (reports: readonly HealthReport[]) => Promise<void>;

/** ms for an answer. */
const TIMEOUT = 10_000;

export function postReportsTo(settings: FleetSettings): PostReports {
  return async (reports) => {
    const status = await request(settings, "health", {
      method: "POST",
      headers: { ...headersFor(settings), "Content-Type": "application/json" },
      body: JSON.stringify({ reports }),
    });
    if (status >= 300) throw new Error(answered(settings, status));
  };
}

/** Finds out why a WebSocket was not opened: the WebSocket itself does not tell, and the answer to a request does. */
export async function probeLive(
  settings: FleetSettings,
): Promise<{ readonly refused: boolean; readonly why: string }> {
  const { url } = settings;
  try {
    const status = await request(settings, "live", { headers: headersFor(settings) });
    const isOpen = status === UPGRADE_REQUIRED;
    return {
      refused: isRefusal(status),
      why: isOpen ? `${url} does not keep a WebSocket open` : answered(settings, status),
    };
  } catch (error) {
    return { refused: false, why: reason(error) };
  }
}

const UPGRADE_REQUIRED = 426;

function answered({ url }: FleetSettings, status: number): string {
  return `${url} answered ${status}${isRefusal(status) ? ' (check the key in "fleet")' : ""}`;
}

/** True where the worker does not accept the key. */
function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

export function headersFor({ key }: FleetSettings): Record<string, string> {
  return { Authorization: `Bearer ${key}`, "User-Agent": `postern/${version}` };
}

/** Uses Node's own client: no session waits for these requests. @returns the status */
async function request({ url }: FleetSettings, path: string, init: RequestInit): Promise<number> {
  const at = `${url}/${path}`;
  const signal = AbortSignal.timeout(TIMEOUT);
  try {
    const { status, body } = await fetch(at, { ...init, redirect: "error", signal });
    await body?.cancel();
    return status;
  } catch (error) {
    throw new Error(`${at}: ${reason(innermost(error))}`, { cause: error });
  }
}

/** The error of fetch says "fetch failed"; its cause tells more, once for each address of a name. */
function innermost(error: unknown): unknown {
  if (error instanceof AggregateError) return innermost(error.errors[0]);
  return error instanceof TypeError && error.cause !== undefined ? innermost(error.cause) : error;
}
