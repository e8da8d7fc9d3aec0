/** Where `-s who` and `-s kick` reach the primary process: a unix socket beside the pid file. */
import { platform } from "node:os";

/** Bytes of a path that fit into the kernel's `sockaddr_un`, with a NUL behind them. */
const LONGEST = platform() === "linux" ? 107 : 103;

/** Where the program before is reached, as long as it lives on after a change of the program (SIGUSR2). */
export function pathBefore(pid: string): string {
  return beside(`${pid}.oldbin`);
}

/** @throws Error where the pid file's path is too long for a socket beside it */
export function socketPath(pid: string): string {
  const path = beside(pid);
  if (Buffer.byteLength(path) <= LONGEST) return path;
  throw new Error(
    `a unix socket's path may have ${LONGEST} bytes, and ${path} is longer: give "pid" a shorter one`,
  );
}

function beside(pid: string): string {
  return `${pid}.sock`;
}
