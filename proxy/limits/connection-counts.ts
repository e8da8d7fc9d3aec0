/**
 * The counts behind `limit_conn` and `limit_login_rate`: one for all workers, kept by the primary,
 * with an account for each worker. So a count is right whichever worker accepts, old and new workers count
 * together at a reload, and what a worker held that died is given back at once.
 */
import type { Claim, ConnectionClaim, CountedBy, Denial, LoginClaim, Limiter } from "./claim.ts";
import { Rates } from "./login-rates.ts";

export class ConnectionCounts {
  /** Connections by zone and key; a key without any is not kept. */
  readonly #zones = new Map<string, Map<string, number>>();
  readonly #rates: Rates;

  /** @param now ms, never going back */
  constructor(now: () => number = () => performance.now()) {
    this.#rates = new Rates(now);
  }

  worker(): WorkerCounts {
    return new WorkerCounts(this);
  }

  /** Connections, each as often as a zone counts it. */
  get held(): number {
    const counts = [...this.#zones.values()].flatMap((zone) => [...zone.values()]);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** @returns null where it is granted */
  take(claim: Claim): Denial | null {
    const note = claim.kind === "login" ? this.#login(claim) : this.#connection(claim);
    return note === null ? null : { claim, note };
  }

  #login(claim: LoginClaim): string | null {
    const excess = this.#rates.take(claim);
    return excess === null
      ? null
      : `limiting logins, excess: ${excess.toFixed(3)} by network ${claim.network}`;
  }

  #connection({ zone: name, key, most, room }: ConnectionClaim): string | null {
    const zone = this.#zones.get(name) ?? new Map<string, number>();
    const count = zone.get(key) ?? 0;
    if (count >= most) return `limiting connections by zone "${name}"`;
    // nginx refuses as well where it cannot count.
    if (count === 0 && zone.size >= room) return `no memory in limit_conn_zone "${name}"`;
    zone.set(key, count + 1);
    this.#zones.set(name, zone);
    return null;
  }

  give({ zone: name, key }: ConnectionClaim): void {
    const zone = this.#zones.get(name);
    const count = zone?.get(key) ?? 0;
    if (count > 1) zone?.set(key, count - 1);
    else zone?.delete(key);
    if (zone?.size === 0) this.#zones.delete(name);
  }
}

/** What the sessions of one worker hold. */
export class WorkerCounts implements Limiter {
  readonly #connections: ConnectionCounts;
  readonly #held = new Map<number, readonly ConnectionClaim[]>();
  #closed = false;

  constructor(connections: ConnectionCounts) {
    this.#connections = connections;
  }

  claim(session: number, claims: readonly Claim[]): Denial | null {
    // What a worker said before it died may be heard after.
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
    if (taken.length > 0) this.#held.set(session, [...this.#of(session), ...taken]);
    return null;
  }

  release(session: number, by?: CountedBy): void {
    const kept: ConnectionClaim[] = [];
    for (const one of this.#of(session)) {
      if (by === undefined || one.by === by) this.#connections.give(one);
      else kept.push(one);
    }
    if (kept.length > 0) this.#held.set(session, kept);
    else this.#held.delete(session);
  }

  /** The worker has gone, and its sessions with it. */
  close(): void {
    this.#closed = true;
    for (const session of this.#held.keys()) this.release(session);
  }

  #of(session: number): readonly ConnectionClaim[] {
    return this.#held.get(session) ?? [];
  }
}
