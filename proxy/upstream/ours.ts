/** Whose fault a failed connection is. */
import { NoRoom, SourceError } from "../transport/index.ts";

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
  if (error instanceof NoRoom || error instanceof SourceError) return true;
  return error instanceof Error && "code" in error && CODES.has(error.code);
}
