/** What a start would trip over, found without starting (`-t`). */
import type { Settings } from "../../config/index.ts";
import { workerIdentity } from "../os/identity.ts";
import { prepareLogFiles, touch } from "../os/log-files.ts";
import { checkResources } from "../os/limits.ts";
import { ListeningSockets } from "./listening-sockets.ts";

/**
 * @returns what the operator is to be warned of
 * @throws Error for an address that cannot be had, a log or a pid file that cannot be written, or connections that do not suffice
 */
export function checkStart(settings: Settings): readonly string[] {
  const warnings = checkResources(settings);
  prepareLogFiles(settings, workerIdentity(settings));
  ListeningSockets.check(settings);
  if (settings.pid !== null) touch(settings.pid);
  return warnings;
}
