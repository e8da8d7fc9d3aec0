/** The control socket, by which `-s who` and `-s kick` reach the primary process: a unix socket beside the pid file. */
import { platform } from "node:os";

/** Bytes of a path that fit into the kernel's `sockaddr_un`, before a NUL. */
const LONGEST = platform() === "linux" ? 107 : 103;

/** The control socket of the old primary during a binary upgrade. */
export function oldSocketPath(pid: string): string {
  return beside(`${pid}.oldbin`);
}

/** @throws Error where the path beside the pid file is too long for a socket */
export function socketPath(pid: string): string {
  const path = beside(pid);
  if (Buffer.byteLength(path) <= LONGEST) return path;
  throw new Error(
    `a unix socket's path may have ${LONGEST} bytes, and ${path} is longer: give "pid" a shorter path`,
  );
}

function beside(pid: string): string {
  return `${pid}.sock`;
}
