/** Log files are made by the primary, which has the rights, and belong to the workers, which write most lines. */
import { chownSync, closeSync, openSync } from "node:fs";
import type { Identity, Settings } from "../../config/index.ts";
import { openFailed } from "../../config/runtime.ts";

/** @throws Error for a file that cannot be opened */
export function prepareLogFiles(settings: Settings, identity: Identity | null): void {
  for (const path of logFiles(settings)) {
    touch(path);
    if (identity !== null) chownSync(path, identity.uid, identity.gid);
  }
}

/**
 * Makes a file, or finds that it can be written to.
 *
 * @throws Error in nginx's words
 */
export function touch(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o644));
  } catch (error) {
    throw new Error(openFailed(path, error), { cause: error });
  }
}

function logFiles({ error_log, servers }: Settings): ReadonlySet<string> {
  const errorLogs = [...error_log, ...servers.flatMap((server) => server.error_log)];
  const destinations = [
    ...errorLogs.map(({ destination }) => destination),
    ...servers.flatMap(({ access_log }) => access_log.map(({ destination }) => destination)),
  ];
  return new Set(destinations.flatMap((to) => ("path" in to ? [to.path] : [])));
}
