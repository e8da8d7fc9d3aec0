/** Log files are made by the primary, which may, and belong to the workers, which write most of them. */
import { chownSync, closeSync, openSync } from "node:fs";
import type { Settings } from "../config/index.ts";
import type { Identity } from "./identity.ts";

/** @throws Error for a file that cannot be opened */
export function prepareLogFiles(settings: Settings, identity: Identity | null): void {
  for (const path of logFiles(settings)) {
    closeSync(openSync(path, "a", 0o644));
    if (identity !== null) chownSync(path, identity.uid, identity.gid);
  }
}

function logFiles({ error_log, servers }: Settings): ReadonlySet<string> {
  const errorLogs = [...error_log, ...servers.flatMap((server) => server.error_log)];
  return new Set([
    ...errorLogs.flatMap(({ destination }) => ("path" in destination ? [destination.path] : [])),
    ...servers.flatMap(({ access_log }) =>
      typeof access_log === "object" ? [access_log.path] : [],
    ),
  ]);
}
