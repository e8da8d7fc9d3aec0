/** How a process that we started has ended, in nginx's words; a code of Node's means a crash as well as a signal. */
import { constants } from "node:os";
import type { LogLevel } from "../../config/index.ts";
import { FATAL } from "../worker/worker-setup.ts";

/** @param name such as `worker process 4711` */
export function ending(
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
