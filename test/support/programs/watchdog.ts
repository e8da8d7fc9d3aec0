// Ends every process that this one has started when this one ends, even by SIGKILL.
import { type ChildProcess, spawn } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** Each line of input replaces the list of processes. The input ends with the process that has started the script. */
const SCRIPT = `
while read -r line; do processes=$line; done
test -z "$processes" && exit
kill -TERM $processes; sleep 1; kill -KILL $processes
`;

const running = new Set<ChildProcess>();
let watching = false;
let watchdog: Socket | null = null;

/** Called before the first process is started. */
export function watchChildren(): void {
  if (watching) return;
  watching = true;
  subscribe("child_process", (message) => {
    const { process: child } = message as { process: ChildProcess };
    child.once("spawn", () => watch(child));
  });
}

function watch(child: ChildProcess): void {
  if (child.spawnargs.includes(SCRIPT)) return;
  running.add(child);
  tell();
  child.once("exit", () => {
    running.delete(child);
    tell();
  });
}

export function runningCommands(): readonly string[] {
  return [...running].map(({ spawnfile }) => spawnfile);
}

function tell(): void {
  watchdog ??= start();
  watchdog.write(`${[...running].map(({ pid }) => pid).join(" ")}\n`);
}

/** In a session of its own, so that a signal to the group of this process does not reach it. */
function start(): Socket {
  const child = spawn("sh", ["-c", SCRIPT], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.unref();
  const input = child.stdin as unknown as Socket;
  input.unref();
  input.on("error", () => {});
  return input;
}
