/** Whether files have changed, by what stat(2) tells of what symbolic links lead to in the end. */
import { statSync } from "node:fs";
import { reason } from "../../reason.ts";

/** Differs from every earlier one once the file has changed; empty where there is no file, or none any more. */
export function stamp(path: string): string {
  try {
    const file = statSync(path);
    return file.isFile() ? [file.ino, file.size, file.mtimeMs, file.ctimeMs].join(" ") : "";
  } catch (error) {
    // As long as nobody can say, it is there, and whoever reads it hears why not.
    return isMissing(error) ? "" : reason(error);
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** What looks at files have found. */
export interface Report {
  /** Whether there is something new. */
  changed: boolean;
  /** Whether somebody may be writing just now. */
  changing: boolean;
  /** Files that cannot be used, and why. */
  readonly refused: string[];
}

/** Whoever writes several files, or a long one, is given the time between two looks. */
export class Changes {
  #known: string | null;
  #last: string | null;

  /** @param known the state that has been dealt with; null for none */
  constructor(known: string | null) {
    this.#known = known;
    this.#last = known;
  }

  /** The state that was dealt with last. */
  get known(): string | null {
    return this.#known;
  }

  /**
   * @param patient whether the state must have been so at the last look, too
   * @returns whether it is another state than the one that was dealt with last
   */
  look(state: string, report: Report, patient = true): boolean {
    const lasts = state === this.#last;
    this.#last = state;
    if (state === this.#known) return false;
    if (patient && !lasts) {
      report.changing = true;
      return false;
    }
    this.#known = state;
    return true;
  }
}
