/**
 * The counts behind `limit_conn` and `limit_login_rate`. The primary keeps one for all workers, so that a count is
 * right whichever worker accepts, and old and new workers count together during a reload.
 */
import type { Claim, ConnectionClaim, Denial, LoginClaim } from "./claim.ts";
import { LoginRates } from "./login-rates.ts";

export class ConnectionCounts {
  /** Connections by zone and key. A key without any is not kept. */
  readonly #zones = new Map<string, Map<string, number>>();
  readonly #rates: LoginRates;

  /** @param now ms, never going back */
  constructor(now: () => number = () => performance.now()) {
    this.#rates = new LoginRates(now);
  }

  /** All connections. A connection counts once for each zone that counts it. */
  get held(): number {
    const counts = [...this.#zones.values()].flatMap((zone) => [...zone.values()]);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** @returns null where the claim is granted */
  take(claim: Claim): Denial | null {
    const note = claim.kind === "login" ? this.#login(claim) : this.#connection(claim);
    return note === null ? null : { claim, note };
  }

  #login(claim: LoginClaim): string | null {
    const over = this.#rates.take(claim);
    return over === null
      ? null
      : `limiting logins, excess: ${over.excess.toFixed(3)} by network ${over.network}`;
  }

  #connection({ zone: name, key, isWide, most, room }: ConnectionClaim): string | null {
    const zone = this.#zones.get(name) ?? new Map<string, number>();
    const count = zone.get(key) ?? 0;
    if (count >= most) {
      return `limiting connections by zone "${name}"${isWide ? ` of network ${key}` : ""}`;
    }
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
