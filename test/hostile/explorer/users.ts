/** The users of a run, each with a version that grows with every revocation, and the accounts that lookups let through. */
import type { UserVersion } from "../../../shared/user-version.ts";
import { type Attempt, type Grant, grantOf } from "./peers/attempt.ts";

export class Users {
  /** The accounts that a lookup has let through and no revocation has ended. */
  readonly #grants = new Set<Grant>();
  /** The number of revocations with that which has ended the account. */
  readonly #ended = new Map<Grant, number>();
  /** The number of revocations so far. */
  revocations = 0;
  readonly #versions = new Map<string, number>();
  readonly #grantsOf = new Map<string, Set<Grant>>();

  /** The user of a login that is typed. Two logins are never of one user. */
  userOf(login: string): UserVersion {
    const id = `${login.replace(/\D/g, "").padStart(21, "0")}A`;
    return { id, version: this.#versions.get(login) ?? 1 };
  }

  /** A mail server may be sent the account from now on. */
  grant(attempt: Attempt, login: string, secret: string): void {
    const grant = grantOf(login, secret);
    this.#grants.add(grant);
    const all = this.#grantsOf.get(attempt.login) ?? new Set();
    this.#grantsOf.set(attempt.login, all.add(grant));
  }

  /** Everything that was granted to the user so far is revoked. @returns the user at the new version */
  revoke(login: string): UserVersion {
    this.#versions.set(login, this.userOf(login).version + 1);
    this.revocations++;
    for (const grant of this.#grantsOf.get(login) ?? []) {
      if (this.#grants.delete(grant)) this.#ended.set(grant, this.revocations);
    }
    return this.userOf(login);
  }

  get hasGrants(): boolean {
    return this.#grants.size > 0;
  }

  /**
   * True where the account may reach a mail server: what is on its way at a revocation arrives.
   *
   * @param dialled the number of revocations when the server was dialled
   */
  mayReach(login: string, secret: string, dialled: number): boolean {
    const grant = grantOf(login, secret);
    return this.#grants.has(grant) || (this.#ended.get(grant) ?? 0) > dialled;
  }
}
