/** The part of the connection counts that the sessions of one worker hold. It is given back when the worker dies. */
import type { Claim, ConnectionClaim, CountedBy, Denial, Limiter } from "./claim.ts";
import type { ConnectionCounts } from "./connection-counts.ts";

export class WorkerCounts implements Limiter {
  readonly #connections: ConnectionCounts;
  readonly #held = new Map<number, readonly ConnectionClaim[]>();
  #closed = false;

  constructor(connections: ConnectionCounts) {
    this.#connections = connections;
  }

  claim(session: number, claims: readonly Claim[]): Denial | null {
    // A claim of a worker may arrive after the news of its death.
    if (this.#closed) return null;
    const taken: ConnectionClaim[] = [];
    for (const claim of claims) {
      const denial = this.#connections.take(claim);
      if (denial !== null) {
        for (const one of taken) this.#connections.give(one);
        return denial;
      }
      if (claim.kind === "connection") taken.push(claim);
    }
    if (taken.length > 0) this.#held.set(session, [...this.#heldBy(session), ...taken]);
    return null;
  }

  release(session: number, by?: CountedBy): void {
    const kept: ConnectionClaim[] = [];
    for (const one of this.#heldBy(session)) {
      if (by === undefined || one.by === by) this.#connections.give(one);
      else kept.push(one);
    }
    if (kept.length > 0) this.#held.set(session, kept);
    else this.#held.delete(session);
  }

  /** Gives everything back: the worker has ended, and its sessions with it. */
  close(): void {
    this.#closed = true;
    for (const session of this.#held.keys()) this.release(session);
  }

  #heldBy(session: number): readonly ConnectionClaim[] {
    return this.#held.get(session) ?? [];
  }
}
