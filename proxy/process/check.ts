/** What a start would trip over, found without starting (`-t`). */
import type { Settings } from "../config/index.ts";
import { workerIdentity } from "./identity.ts";
import { prepareLogFiles, touch } from "./log-files.ts";

/** @throws Error for a user that does not exist, a log or a pid file that cannot be written */
export function checkStart(settings: Settings): void {
  prepareLogFiles(settings, workerIdentity(settings.user));
  if (settings.pid !== null) touch(settings.pid);
}
