/**
 * `daemon on`. Node cannot fork, so the command starts itself again in a session of its own, waits until that
 * process serves, and ends.
 */
import { closeSync, openSync } from "node:fs";
import { inherited, startDaemonProcess } from "./launch-environment.ts";

/**
 * Starts this very command again, in the background. It still writes to our stderr until it lets go.
 *
 * @returns the status to exit with: 0 where it serves, otherwise its own, the reason being told
 */
export function startDaemon(): Promise<number> {
  const child = startDaemonProcess(inherited);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("message", () => resolve(0));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/** What it and its workers still say to the terminal goes nowhere from now on: a pipe there may end. */
export function letGoOfTerminal(): void {
  closeSync(2);
  // The lowest number that is free, and so 2 again.
  openSync("/dev/null", "w");
}

/** Tells the command that started us that it may end. */
export function tellStarted(): void {
  process.send?.("started", () => process.disconnect?.());
}
