/** What a configuration asks for, beside what there is. */
import { readFileSync, readdirSync } from "node:fs";
import type { Settings } from "../../config/index.ts";
import { bindings } from "../ipc/bindings.ts";

export interface OpenFiles {
  readonly soft: number;
  readonly hard: number;
}

/** The limit on open files, which Node has raised to the hard one; null where the system does not tell. */
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

/** Of `worker_connections`, those that are not connections: what listens, and the primary's channel. */
export function reservedConnections(settings: Settings): number {
  return bindings(settings).length + 1;
}

/**
 * @returns what the operator is to be warned of, in nginx's words
 * @throws Error where not even the listening sockets fit
 */
export function checkResources(settings: Settings): readonly string[] {
  const { worker_connections, worker_rlimit_nofile, worker_cpu_affinity } = settings;
  const reserved = reservedConnections(settings);
  if (worker_connections < reserved) {
    throw new Error(
      `${worker_connections} worker_connections are not enough for ${reserved - 1} listening sockets`,
    );
  }
  const warnings: string[] = [];
  const limit = worker_rlimit_nofile ?? openFiles()?.soft ?? Number.POSITIVE_INFINITY;
  if (worker_connections > limit) {
    warnings.push(
      `${worker_connections} worker_connections exceed open file resource limit: ${limit}`,
    );
  }
  const { auto, masks } = worker_cpu_affinity;
  if (!auto && masks.length > 1 && masks.length !== settings.worker_processes) {
    warnings.push(
      'the number of "worker_processes" is not equal to the number of "worker_cpu_affinity" masks, ' +
        "using last mask for remaining worker processes",
    );
  }
  return warnings;
}
