/** The worker's end: `POST URL/health`. */
import type { HealthReport } from "../../shared/fleet.ts";
import type { FleetSettings } from "../config/index.ts";
import { reason } from "../reason.ts";
import { version } from "../version.ts";

/** @throws Error where it is not known to have been heard */
export type Tell = (reports: readonly HealthReport[]) => Promise<void>;

/** ms for an answer. */
const PATIENCE = 10_000;

export function tellFleet({ url, key }: FleetSettings): Tell {
  return async (reports) => {
    const { status, body } = await post(`${url}/health`, key, JSON.stringify({ reports }));
    await body?.cancel();
    if (status >= 300) throw new Error(`${url} answered ${status}`);
  };
}

/** By Node's own client: this is no mail, and nobody waits for it. */
async function post(url: string, key: string, body: string): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${key}`,
        "Content-Type": "application/json",
        "User-Agent": `postern/${version}`,
      },
      body,
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch (error) {
    throw new Error(`${url}: ${reason(innermost(error))}`, { cause: error });
  }
}

/** "fetch failed", it says, and why is inside; once for each address of a name. */
function innermost(error: unknown): unknown {
  if (error instanceof AggregateError) return innermost(error.errors[0]);
  return error instanceof TypeError && error.cause !== undefined ? innermost(error.cause) : error;
}
