/** Keeps what isolates learn of the costs of stored hashes, so that a new isolate knows it. */
import { drizzle } from "drizzle-orm/d1";
import { readPasswordWork, recordPasswordWork, sampleHashes } from "../directory/password-work.ts";
import type { Directory } from "../directory/database.ts";
import { DirectorySession } from "../directory/session.ts";
import { describe, logWarning } from "../log/log.ts";
import { allowedSchemes } from "./schemes/index.ts";
import { type PasswordScheme, UnreadableHash, WORK_KINDS } from "./schemes/scheme.ts";
import { readStored } from "./stored.ts";
import { isolateWork, WorkProfile } from "./work.ts";

/** ms after which an isolate reads the records again. */
const REFRESH_INTERVAL = 60_000;

/** When this isolate last read the records, ms; 0 before the first time. */
let lastRead = 0;

/**
 * Fills the isolate's profile from the records. The first logins of an isolate wait for it, and later ones do not.
 *
 * Without records, as after an upgrade, a sample of the users fills the profile. A failure leaves it as it is, since a
 * login matters more than the time of a refusal.
 */
export async function knowWork(
  session: DirectorySession,
  schemes: readonly PasswordScheme[],
  waitUntil: (work: Promise<unknown>) => void,
): Promise<void> {
  if (Date.now() - lastRead < REFRESH_INTERVAL) return;
  const reading = readRecords(session, schemes).catch((error: unknown) => {
    logWarning(`the costs of stored password hashes are not known: ${describe(error)}`);
  });
  // Simultaneous first logins read for themselves: in Workers, another request's promise may stay pending.
  if (lastRead === 0) await reading;
  else waitUntil(reading);
  lastRead = Date.now();
}

async function readRecords(
  session: DirectorySession,
  schemes: readonly PasswordScheme[],
): Promise<void> {
  const records = await readPasswordWork(session);
  for (const { kind: name, units, seen } of records) {
    const kind = WORK_KINDS.find((known) => known === name);
    if (kind !== undefined) isolateWork.read({ kind, units }, seen.getTime());
  }
  if (records.length === 0) meetAll(await sampleHashes(session), schemes, isolateWork);
}

/** Records what the isolate has learned, after the response. */
export function recordWork(
  directory: Directory,
  waitUntil: (work: Promise<unknown>) => void,
): void {
  const work = isolateWork.takeUnrecorded();
  if (work.length === 0) return;
  waitUntil(
    recordPasswordWork(directory, work).catch((error: unknown) => {
      logWarning(`the costs of stored password hashes are not recorded: ${describe(error)}`);
    }),
  );
}

/** Records the costs in a sample of the users. It runs once a day. */
export async function sampleWork({ DB, WEAK_PASSWORD_SCHEMES }: Env): Promise<void> {
  const directory = drizzle(DB);
  const session = new DirectorySession(directory, DB.withSession("first-unconstrained"));
  const profile = new WorkProfile();
  meetAll(await sampleHashes(session), allowedSchemes(WEAK_PASSWORD_SCHEMES), profile);
  const work = profile.takeUnrecorded();
  if (work.length > 0) await recordPasswordWork(directory, work);
}

function meetAll(
  hashes: readonly string[],
  schemes: readonly PasswordScheme[],
  profile: WorkProfile,
): void {
  for (const hash of hashes) {
    try {
      const { work } = readStored(hash, schemes);
      if (work !== undefined) profile.meet(work);
    } catch (error) {
      // A hash that cannot be read is never verified.
      if (!(error instanceof UnreadableHash)) throw error;
    }
  }
}
