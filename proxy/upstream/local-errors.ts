/** Errors of this machine and its configuration, which say nothing about a server. */
import { NoRoom, SourceError } from "../transport/index.ts";
import { ForbiddenUpstream } from "./permitted.ts";

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
  if (error instanceof ForbiddenUpstream) return true;
  return error instanceof Error && "code" in error && CODES.has(error.code);
}
