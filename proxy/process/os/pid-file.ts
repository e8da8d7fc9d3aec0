/** The pid file, in which `-s` finds the process to signal. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { openFailed } from "../../config/runtime.ts";
import { systemReason } from "../../reason.ts";
import { touch } from "./log-files.ts";

/** The signal for each word of `-s` that nginx has. */
const SIGNALS = {
  stop: "SIGTERM",
  quit: "SIGQUIT",
  reopen: "SIGUSR1",
  reload: "SIGHUP",
} as const satisfies Readonly<Record<string, NodeJS.Signals>>;

export type Signal = keyof typeof SIGNALS;

/** The error of a command that needs a pid file. */
export const NO_PID = 'no "pid" file is configured, and there is no logs directory for one';

/** @throws Error where the file cannot be written */
export function writePid(path: string | null): void {
  if (path === null) return;
  touch(path);
  writeFileSync(path, `${process.pid}\n`);
}

export function removePid(path: string | null): void {
  if (path !== null) rmSync(path, { force: true });
}

/** @throws Error where the new file cannot be written */
export function movePid(from: string | null, to: string | null): void {
  if (from === to) return;
  writePid(to);
  removePid(from);
}

/**
 * Reads the pid to signal. 0 is refused: nginx takes it, and signals its own process group.
 *
 * @throws Error, in nginx's words, where the file is not there or holds no pid
 */
export function readPid(path: string | null): number {
  if (path === null) throw new Error(NO_PID);
  const text = read(path).replace(/[\r\n]+$/, "");
  const pid = Number(text);
  if (/^\d+$/.test(text) && pid > 0) return pid;
  throw new Error(`invalid PID number "${text}" in "${path}"`);
}

/** @throws Error, in nginx's words, where there is no such process, or it belongs to another user */
export function signalPid(pid: number, signal: Signal): void {
  try {
    process.kill(pid, SIGNALS[signal]);
  } catch (error) {
    const number = constants.signals[SIGNALS[signal]];
    throw new Error(`kill(${pid}, ${number}) failed (${systemReason(error)})`, { cause: error });
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(openFailed(path, error), { cause: error });
  }
}
