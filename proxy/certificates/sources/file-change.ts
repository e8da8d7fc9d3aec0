/** Detects changed files by stat(2), which follows symbolic links to the end. */
import { statSync } from "node:fs";
import { reason } from "../../reason.ts";

/** The state of a file, different after each change; empty where there is no file. */
export function stamp(path: string): string {
  try {
    const file = statSync(path);
    return file.isFile() ? [file.ino, file.size, file.mtimeMs, file.ctimeMs].join(" ") : "";
  } catch (error) {
    // A file in an unknown state counts as present, so that reading it reports the error.
    return isMissing(error) ? "" : reason(error);
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** The findings of a poll. */
export interface PollReport {
  /** True if certificates or keys are different. */
  changed: boolean;
  /** True while a writer may be at work. */
  unsettled: boolean;
  /** Reasons why files cannot be used. */
  readonly errors: string[];
}

/** Reports a change once it has lasted from one poll to the next, so that a writer of several files can finish. */
export class ChangeDetector {
  #handled: string | null;
  #last: string | null;

  /** @param handled the state whose contents are in use; null for none */
  constructor(handled: string | null) {
    this.#handled = handled;
    this.#last = handled;
  }

  /** The state whose contents are in use. */
  get handled(): string | null {
    return this.#handled;
  }

  /**
   * @param settle false to report a change at once
   * @returns true if the contents of this state are to be read
   */
  poll(state: string, report: PollReport, settle = true): boolean {
    const lasts = state === this.#last;
    this.#last = state;
    if (state === this.#handled) return false;
    if (settle && !lasts) {
      report.unsettled = true;
      return false;
    }
    this.#handled = state;
    return true;
  }
}
