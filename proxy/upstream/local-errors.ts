/** Errors of this machine, which say nothing about a server. */
import { NoRoom, SourceError } from "../transport/index.ts";

/** Want of files, ports or memory. */
const CODES: ReadonlySet<unknown> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EADDRNOTAVAIL",
]);

export function isLocalError(error: unknown): boolean {
  if (error instanceof NoRoom || error instanceof SourceError) return true;
  return error instanceof Error && "code" in error && CODES.has(error.code);
}
