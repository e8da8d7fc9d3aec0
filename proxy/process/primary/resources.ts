/** Compares the resources that a configuration asks for with those that there are. */
import type { Identity, Settings } from "../../config/index.ts";
import { reservedConnections } from "../ipc/bindings.ts";
import { workerIdentity } from "../os/identity.ts";
import { prepareLogFiles } from "../os/log-files.ts";
import { openFiles } from "../os/open-files.ts";

interface Preparation {
  /** The user that workers run as; null for that of the primary. */
  readonly identity: Identity | null;
  /** In nginx's words. */
  readonly warnings: readonly string[];
}

/** Comes before a start or a reload. @throws Error where the settings cannot be served, or a log cannot be opened */
export function prepare(settings: Settings): Preparation {
  const identity = workerIdentity(settings);
  const warnings = checkResources(settings);
  prepareLogFiles(settings, identity);
  return { identity, warnings };
}

/**
 * @returns warnings, in nginx's words
 * @throws Error where `worker_connections` has no room for the listening sockets
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
