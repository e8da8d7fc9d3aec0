/**
 * The work of verifying passwords, in countable units, so that every wrong password costs the same.
 *
 * The time of a refusal would otherwise tell which users exist, and whose hash is of which scheme. So each refusal does
 * the work of the costliest stored hash of each kind: its own hash, and a dummy for the rest.
 */
import { pbkdf2Sync } from "node:crypto";
import desCrypt3 from "unix-crypt-td-js";
import { hashArgon2id } from "./algorithms/argon2.ts";
import { bcryptWords } from "./algorithms/blowfish.ts";
import { stir } from "./algorithms/crypt.ts";
import { COST as NEW_HASH } from "./schemes/argon2id.ts";
import type { Work, WorkKind } from "./schemes/scheme.ts";

const SALT = new Uint8Array(16);

const DUMMIES: Readonly<Record<WorkKind, (password: Uint8Array, units: number) => unknown>> = {
  argon2(password, units) {
    // The memory of a new hash, since WebAssembly returns none.
    const passes = Math.ceil(units / NEW_HASH.memory);
    const memory = Math.max(8, Math.ceil(units / passes));
    return hashArgon2id(password, SALT, 32, { memory, passes, lanes: 1 });
  },
  bcrypt: (_, units) => bcryptWords(new Int32Array(18), new Int32Array(4), units),
  "sha512-crypt": (password, units) => stir("sha512", new Uint8Array(64), password, SALT, units),
  "sha256-crypt": (password, units) => stir("sha256", new Uint8Array(32), password, SALT, units),
  "md5-crypt": (password, units) => stir("md5", SALT, password, SALT.subarray(0, 8), units),
  "pbkdf2-sha256": (password, units) => pbkdf2Sync(password, SALT, units, 32, "sha256"),
  "pbkdf2-sha1": (password, units) => pbkdf2Sync(password, SALT, units, 20, "sha1"),
  "des-crypt": (password) => desCrypt3(password, "ab"),
};

/** Does this much work with the client's password, and drops the result. */
function perform({ kind, units }: Work, password: Uint8Array): void {
  DUMMIES[kind](password, units);
}

/** ms after which a kind that is still met is recorded again. */
const RECORD_INTERVAL = 86_400_000;

interface MostWork {
  readonly units: number;
  /** When the directory recorded it, ms; 0 if it did not. */
  recorded: number;
  /** True if such a hash was met since then. */
  met: boolean;
}

/** The costliest stored hash of each kind, as far as this isolate knows. */
export class WorkProfile {
  readonly #most = new Map<WorkKind, MostWork>();
  readonly #perform: typeof perform;
  readonly #now: () => number;

  /**
   * @param work does dummy work
   * @param now ms
   */
  constructor(work: typeof perform = perform, now: () => number = Date.now) {
    this.#perform = work;
    this.#now = now;
    this.meet({ kind: "argon2", units: NEW_HASH.memory * NEW_HASH.passes });
  }

  /** Learns of a stored hash. */
  meet({ kind, units }: Work): void {
    const most = this.#most.get(kind);
    if (most === undefined || units > most.units) {
      this.#most.set(kind, { units, recorded: 0, met: true });
    } else if (units === most.units) most.met = true;
  }

  /** Learns of a record of the directory. @param recorded ms since the epoch */
  read({ kind, units }: Work, recorded: number): void {
    const most = this.#most.get(kind);
    if (most === undefined || units > most.units) {
      this.#most.set(kind, { units, recorded, met: false });
    } else if (units === most.units) most.recorded = Math.max(most.recorded, recorded);
  }

  /** Does the work that a refusal lacks. @param done the work of the user's own hash; undefined if none was done */
  complete(password: Uint8Array, done: Work | undefined): void {
    for (const [kind, { units }] of this.#most) {
      const rest = units - (done?.kind === kind ? done.units : 0);
      if (rest > 0) this.#perform({ kind, units: rest }, password);
    }
  }

  /** Takes the work that the directory should record now. */
  takeUnrecorded(): Work[] {
    const now = this.#now();
    const due = [...this.#most].filter(
      ([, { met, recorded }]) => met && now - recorded >= RECORD_INTERVAL,
    );
    return due.map(([kind, most]) => {
      most.recorded = now;
      most.met = false;
      return { kind, units: most.units };
    });
  }
}

/** The profile of this isolate. */
export const isolateWork = new WorkProfile();
