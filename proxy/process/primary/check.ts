/** `-t`: finds what would make a start fail, without starting. */
import type { Settings } from "../../config/index.ts";
import { touch } from "../os/log-files.ts";
import { prepare } from "./resources.ts";
import { ListeningSockets } from "./listening-sockets.ts";

/**
 * @returns warnings
 * @throws Error for an address that cannot be bound, a log or pid file that cannot be written, or too few connections
 */
export function checkStart(settings: Settings): readonly string[] {
  const { warnings } = prepare(settings);
  ListeningSockets.check(settings);
  if (settings.pid !== null) touch(settings.pid);
  return warnings;
}
