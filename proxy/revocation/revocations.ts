/**
 * The revocations that this process has heard of. They tell whether a reply to a lookup still lets a client in: a
 * reply from the cache, one under way when its user is kicked, or one of a directory's replica that lags behind.
 *
 * A kick and a question take a time that does not depend on how many users and replies are known.
 */
import type { ByteString } from "../../shared/lookup.ts";
import type { UserVersion } from "../../shared/user-version.ts";
import { comparableAddress } from "../../shared/user-address.ts";
import { comparableLogin } from "./login-name.ts";
import { type KnownVersion, UserVersions } from "./user-versions.ts";

export interface Kick {
  /** The user's names, which find the logins without an id. Without `user` they find all. */
  readonly names: readonly string[];
  /** Every login that was granted at an earlier version is revoked. */
  readonly user: UserVersion | null;
  /** A directory at least as new has the revocation; null where the worker does not say. */
  readonly bookmark: string | null;
}

/** The line by which kicks come. Without a fleet there is nothing to miss, so that it counts as connected. */
export type LineState =
  /** Every kick arrives. */
  | "connected"
  /** The kicks that were missed are on their way. */
  | "catching up"
  /** Kicks may be missed. */
  | "away"
  /** The worker refuses this proxy's key. */
  | "refused";

/** The part of a reply that decides. */
export interface RevocableReply {
  /** Replaces the login that was typed; null where that stands. */
  readonly login: ByteString | null;
  /** Null where the endpoint names no user. */
  readonly user: UserVersion | null;
}

/** The revocations that one process hands to another that starts. */
export interface RevocationState {
  readonly versions: ReadonlyMap<string, KnownVersion>;
  readonly floor: string | null;
  readonly line: LineState;
}

/** Names of kicks that are kept. */
const MOST_NAMES = 100_000;

/** D1's word for "the primary, which is always new enough", in the place of a bookmark (`withSession`). */
const PRIMARY = "first-primary";

export class Revocations {
  line: LineState;
  readonly #versions: UserVersions;
  /** The era in which each name was kicked last, by names in their comparable form. */
  readonly #names = new Map<string, number>();
  readonly #mostNames: number;
  #era = 0;
  /** Replies that were asked for in an earlier era may be older than a kick that is no longer known. */
  #oldest = 0;
  /** A directory at least as new has the kicks that are no longer known; null where there are none. */
  #floor: string | null;
  /** Lookups of an earlier era have not carried the floor. */
  #floorEra = 0;

  /**
   * @param known by another process
   * @param bounds users and names that are kept
   */
  constructor(
    line: LineState,
    { versions, floor }: Omit<RevocationState, "line"> = { versions: new Map(), floor: null },
    bounds: { readonly users?: number; readonly names?: number } = {},
  ) {
    this.line = line;
    this.#floor = floor;
    this.#mostNames = bounds.names ?? MOST_NAMES;
    const dropped = (bookmark: string): void => this.#raiseFloor(bookmark);
    this.#versions = new UserVersions(versions, dropped, bounds.users);
  }

  get state(): RevocationState {
    return { versions: this.#versions.all, floor: this.#floor, line: this.line };
  }

  /** Grows with each kick. */
  get era(): number {
    return this.#era;
  }

  /** The bookmark that every lookup must carry, so that its reply is not older than a kick that is no longer known. */
  get floor(): string | null {
    return this.#floor;
  }

  kick({ names, user, bookmark }: Kick): void {
    this.#era++;
    // The directory has all earlier changes as well.
    if (this.#floor === PRIMARY && bookmark !== null) this.#floor = bookmark;
    if (user !== null) this.#versions.kicked(user, bookmark ?? PRIMARY);
    if (this.#names.size + names.length > this.#mostNames) {
      this.#names.clear();
      this.#oldest = this.#era;
    }
    for (const name of names) this.#names.set(comparableAddress(name), this.#era);
  }

  /** A reply that lets a client in has come from the endpoint. */
  heard({ user }: RevocableReply): void {
    if (user !== null) this.#versions.heard(user);
  }

  /** Kicks were lost, of users that are not known. No earlier reply counts, and no replica that may lag behind. */
  lost(): void {
    this.#oldest = ++this.#era;
    this.#names.clear();
    this.#raiseFloor(PRIMARY);
  }

  /**
   * The bookmark by which a reply is to be asked for once more, because it is older than a version or a kick that is
   * known; null for a reply that lets the client in.
   *
   * @param typed the client's own login
   * @param asked the era in which the reply was asked for
   */
  newerThan(typed: ByteString, reply: RevocableReply, asked: number): string | null {
    const { user } = reply;
    const known = user === null ? undefined : this.#versions.get(user.id);
    if (user !== null && known !== undefined && known.version > user.version) {
      return this.#later(known.bookmark ?? PRIMARY);
    }
    if (asked === this.#era) return null;
    const mayBeDropped = user !== null && known === undefined && asked < this.#floorEra;
    if (mayBeDropped || asked < this.#oldest) return this.#floor ?? PRIMARY;
    if (!this.#isNameKicked(typed, reply, asked)) return null;
    return this.#later(known?.bookmark ?? PRIMARY);
  }

  /** False for a cached reply whose user may have been revoked since. @param asked the era of the request */
  allows(typed: ByteString, reply: RevocableReply, asked: number): boolean {
    const { user } = reply;
    // The version of a user that there is no room for is not known, so that it may have grown.
    if (user !== null && this.#versions.get(user.id)?.version !== user.version) return false;
    return (
      asked === this.#era || (asked >= this.#oldest && !this.#isNameKicked(typed, reply, asked))
    );
  }

  #isNameKicked(typed: ByteString, { login }: RevocableReply, asked: number): boolean {
    if (this.#names.size === 0) return false;
    return this.#kicked(typed) > asked || (login !== null && this.#kicked(login) > asked);
  }

  #kicked(login: ByteString): number {
    return this.#names.get(comparableLogin(login)) ?? 0;
  }

  #raiseFloor(bookmark: string): void {
    this.#floor = this.#later(bookmark);
    this.#floorEra = ++this.#era;
  }

  /** The later one of a bookmark and the floor. Bookmarks of D1 sort by time, and PRIMARY sorts behind them. */
  #later(bookmark: string): string {
    return this.#floor !== null && this.#floor > bookmark ? this.#floor : bookmark;
  }
}
