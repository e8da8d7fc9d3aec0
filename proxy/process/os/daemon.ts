/**
 * `daemon on`. Node cannot fork, so the command starts itself again in a session of its own, waits until that
 * process serves, and ends.
 */
import { closeSync, openSync } from "node:fs";
import { inherited, startDaemonProcess } from "./launch-environment.ts";

/**
 * Starts this command again in the background. It writes to our standard error until it serves.
 *
 * @returns the exit code: 0 where it serves, otherwise its own, after it has written the reason
 */
export function startDaemon(): Promise<number> {
  const child = startDaemonProcess(inherited);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("message", () => resolve(0));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/** Leaves the terminal. What the daemon and its workers write there is dropped, since a pipe may end. */
export function letGoOfTerminal(): void {
  closeSync(2);
  // A new descriptor has the lowest free number: 2 again.
  openSync("/dev/null", "w");
}

/** Tells the command that has started the daemon to end. */
export function tellStarted(): void {
  process.send?.("started", () => process.disconnect?.());
}
