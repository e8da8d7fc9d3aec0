/** The newest version of each user that this process has heard of. */
import type { UserVersion } from "../../shared/user-version.ts";

export interface KnownVersion {
  readonly version: number;
  /** A directory at least as new has the last kick of the user; null for a user who was not kicked. */
  readonly bookmark: string | null;
}

/** Users. One takes some 120 bytes. */
const MOST_USERS = 100_000;

export class UserVersions {
  /** The user heard of last comes last. */
  readonly #known: Map<string, KnownVersion>;
  /** Stands before the user heard of longest ago. A new iterator would pass all deleted entries again each time. */
  readonly #oldest: Iterator<string>;
  readonly #most: number;
  readonly #dropped: (bookmark: string) => void;

  /** @param dropped hears the bookmark of a kick that there is no room for any more */
  constructor(
    known: Iterable<readonly [id: string, KnownVersion]>,
    dropped: (bookmark: string) => void,
    most = MOST_USERS,
  ) {
    this.#known = new Map(known);
    this.#oldest = this.#known.keys();
    this.#dropped = dropped;
    this.#most = most;
  }

  get(id: string): KnownVersion | undefined {
    return this.#known.get(id);
  }

  get all(): ReadonlyMap<string, KnownVersion> {
    return this.#known;
  }

  /** A reply has the version. */
  heard({ id, version }: UserVersion): void {
    const known = this.#known.get(id);
    if (known !== undefined && known.version >= version) this.#put(id, known);
    else this.#put(id, { version, bookmark: known?.bookmark ?? null });
  }

  /** Every login before the version is revoked. @param bookmark a directory at least as new has the version */
  kicked({ id, version }: UserVersion, bookmark: string): void {
    const known = this.#known.get(id);
    if (known === undefined || version >= known.version) this.#put(id, { version, bookmark });
    // A reply has told of a newer version already. It has no bookmark, and the kick's is the next best.
    else this.#put(id, { version: known.version, bookmark: known.bookmark ?? bookmark });
  }

  #put(id: string, known: KnownVersion): void {
    this.#known.delete(id);
    this.#known.set(id, known);
    if (this.#known.size <= this.#most) return;
    const { value: oldest } = this.#oldest.next();
    const bookmark = this.#known.get(oldest)?.bookmark ?? null;
    this.#known.delete(oldest);
    if (bookmark !== null) this.#dropped(bookmark);
  }
}
