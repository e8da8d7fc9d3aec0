/** Kicks that are carried out together, so that each session is looked at once. */
import type { ByteString } from "../../shared/lookup.ts";
import type { UserVersion } from "../../shared/user-version.ts";
import { comparableAddress } from "../../shared/user-address.ts";
import { comparableLogin } from "./login-name.ts";
import type { Kick } from "./revocations.ts";

/** A login that was granted, or that is under way. */
export interface Login {
  /** The login that the client typed; null before one. */
  readonly typedLogin: ByteString | null;
  /** The login that replaced it. */
  readonly login: ByteString | null;
  /** Null where no reply has named the user. */
  readonly user: UserVersion | null;
}

export class KickList {
  readonly #byId = new Map<string, { readonly version: number; readonly index: number }>();
  /** Names of all kicks, for logins whose user is not known. */
  readonly #byName = new Map<string, number>();
  /** Names of the kicks without a user, for all logins. */
  readonly #byNameAlone = new Map<string, number>();

  readonly #ended: number[];

  constructor(kicks: readonly Kick[]) {
    this.#ended = kicks.map(() => 0);
    for (const [index, { names, user }] of kicks.entries()) {
      for (const name of names.map(comparableAddress)) {
        this.#byName.set(name, index);
        if (user === null) this.#byNameAlone.set(name, index);
      }
      if (user === null) continue;
      const before = this.#byId.get(user.id);
      if (before === undefined || before.version < user.version) {
        this.#byId.set(user.id, { version: user.version, index });
      }
    }
  }

  /** The number of logins that each kick has ended. */
  get ended(): readonly number[] {
    return this.#ended;
  }

  /** Counts the login among those that are ended. @returns false where no kick ends it */
  ends(login: Login): boolean {
    const index = this.#find(login);
    if (index === -1) return false;
    this.#ended[index] = (this.#ended[index] ?? 0) + 1;
    return true;
  }

  /** @returns the index of the kick that ends the login; -1 for none */
  #find({ typedLogin, login, user }: Login): number {
    const kick = user === null ? undefined : this.#byId.get(user.id);
    if (user !== null && kick !== undefined && kick.version > user.version) return kick.index;
    const names = user === null ? this.#byName : this.#byNameAlone;
    if (names.size === 0 || typedLogin === null) return -1;
    const typed = names.get(comparableLogin(typedLogin));
    if (typed !== undefined || login === null || login === typedLogin) return typed ?? -1;
    return names.get(comparableLogin(login)) ?? -1;
  }
}
