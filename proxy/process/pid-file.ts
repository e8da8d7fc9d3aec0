/** The pid file: where `-s` finds the process to signal. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Signal } from "../command-line.ts";
import { touch } from "./log-files.ts";

/** What each word of `-s` sends. */
const SIGNALS = {
  stop: "SIGTERM",
  quit: "SIGQUIT",
  reopen: "SIGUSR1",
  reload: "SIGHUP",
} as const satisfies Record<Signal, NodeJS.Signals>;

/** @throws Error where the file cannot be written */
export function writePid(path: string | null): void {
  if (path === null) return;
  touch(path);
  writeFileSync(path, `${process.pid}\n`);
}

export function removePid(path: string | null): void {
  if (path !== null) rmSync(path, { force: true });
}

/** @throws Error, in nginx's words, where there is no such process */
export function signalPid(path: string | null, signal: Signal): void {
  if (path === null) throw new Error('no "pid" file is configured, and there is no logs/ for one');
  const text = readPid(path).trim();
  const pid = Number(text);
  if (!/^\d+$/.test(text) || pid === 0)
    throw new Error(`invalid PID number "${text}" in "${path}"`);
  try {
    process.kill(pid, SIGNALS[signal]);
  } catch {
    throw new Error(`kill(${pid}, ${SIGNALS[signal]}) failed (3: No such process)`);
  }
}

function readPid(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new Error(`open() "${path}" failed (2: No such file or directory)`);
  }
}
