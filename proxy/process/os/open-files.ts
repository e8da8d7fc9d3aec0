/** The limit on open files, and the files that are open. */
import { readFileSync, readdirSync } from "node:fs";

export interface OpenFiles {
  readonly soft: number;
  readonly hard: number;
}

/** The limit, whose soft one Node has raised to the hard one; null where the system does not tell. */
export function openFiles(): OpenFiles | null {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const [, soft, hard] = /^Max open files +(\S+) +(\S+)/m.exec(limits) ?? [];
    return soft === undefined ? null : { soft: amount(soft), hard: amount(hard) };
  } catch {
    return null;
  }
}

/** Files that this process has open; 0 where the system does not tell. */
export function filesInUse(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

function amount(word: string | undefined): number {
  return word === "unlimited" ? Number.POSITIVE_INFINITY : Number(word);
}
