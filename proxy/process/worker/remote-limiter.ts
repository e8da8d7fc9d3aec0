/** The primary's connection counts, as a worker asks for them. */
import type { Limiter } from "../../limits/index.ts";
import type { PrimaryCalls, WorkerCalls } from "../ipc/calls.ts";
import type { Channel } from "../ipc/channel.ts";

export function remoteLimiter(primary: Channel<WorkerCalls, PrimaryCalls>): Limiter {
  return {
    claim: async (session, claims) => (await primary.request("claim", [session, claims])) ?? null,
    // Arrives behind every claim of the session, with a reply or without: calls keep their order.
    release: (session, by) => primary.send("release", [session, by]),
  };
}
