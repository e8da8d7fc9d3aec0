/** The end of a child process, in nginx's words. Node exits with codes of its own after a crash. */
import { constants } from "node:os";
import type { LogLevel } from "../../config/index.ts";

/** The exit code of a worker that cannot be set up. As in nginx, such a worker is not replaced. */
export const FATAL = 2;

/** @param name such as `worker process 4711` */
export function describeExit(
  name: string,
  code: number | null,
  signal: string | null,
): readonly [level: LogLevel, message: string] {
  if (signal !== null) {
    const number = Object.entries(constants.signals).find(([one]) => one === signal)?.[1];
    return ["alert", `${name} exited on signal ${number}`];
  }
  const level = code === 0 || code === FATAL ? "notice" : "alert";
  return [level, `${name} exited with code ${code}`];
}
