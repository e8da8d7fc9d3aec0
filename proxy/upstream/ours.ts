/** Whose fault a failed connection is. */
import { NoRoom } from "../transport/index.ts";

/** Want of files, ports or memory on this machine. */
const CODES: ReadonlySet<unknown> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EADDRNOTAVAIL",
]);

/** Whether an error says nothing of the server. */
export function isOurs(error: unknown): boolean {
  if (error instanceof NoRoom) return true;
  return error instanceof Error && "code" in error && CODES.has(error.code);
}
