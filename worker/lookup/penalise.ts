/** Counts failed logins, applies penalties, and records successful logins after the reply. */
import { isUseStale, recordUse } from "../directory/app-passwords.ts";
import {
  forgetNetwork,
  forgetNetworkOfAll,
  isSuccessStale,
  recordSuccess,
} from "../directory/known-networks.ts";
import { replaceHash, type UserEntry } from "../directory/users.ts";
import { describe, logError } from "../log/log.ts";
import { hashPassword } from "../passwords/schemes/argon2id.ts";
import { type AttemptResult, countAttempt } from "../penalties/index.ts";
import type { LookupContext } from "./context.ts";
import type { FoundLogin, LoginVerdict } from "./find.ts";
import type { RefusedLookup, Verified } from "./methods/index.ts";

export async function penalise(
  verdict: LoginVerdict,
  { entry, admitted, source }: FoundLogin,
  context: LookupContext,
): Promise<LoginVerdict> {
  if (verdict.kind === "blocked" || verdict.kind === "unavailable" || !admitted) return verdict;
  const result = resultOf(verdict);
  const penalty = await countAttempt(context.penalties, source, result);
  const { blocked, failureRatio, trusted, blocksNetwork } = penalty;
  const { networks, known } = source;
  const [network] = networks;
  if (network !== undefined && blocksNetwork) distrustForAll(network, context);
  if (entry !== null && network !== undefined) {
    if (known && !trusted) distrust(entry, network, context);
    if (result === "succeeded" && trusted) trust(entry, network, context);
  }
  if (blocked) return { kind: "blocked" };
  if (verdict.kind === "refused") return { ...verdict, failureRatio };
  recordAppPassword(verdict.entry, context);
  rehash(verdict, context);
  return verdict;
}

/** Only a wrong proof counts as a failure. */
function resultOf(verdict: Verified | RefusedLookup): AttemptResult {
  if (verdict.kind === "verified") return "succeeded";
  return verdict.reason === "wrong-credentials" ? "failed" : "uncounted";
}

/** Too many logins from the network have failed, so it is no longer known good for the user. */
function distrust(
  { user }: UserEntry,
  network: string,
  { directory, waitUntil }: LookupContext,
): void {
  waitUntil(forgetNetwork(directory, user.address, network).catch(logUnwrittenNetwork));
}

/**
 * A right password from a known network waits for no Durable Object, so a network that gets blocked is no longer
 * known good for any user. Otherwise it could go on guessing at the users who are known there.
 */
function distrustForAll(network: string, { directory, waitUntil }: LookupContext): void {
  waitUntil(forgetNetworkOfAll(directory, network).catch(logUnwrittenNetwork));
}

function trust(
  { user, lastSuccess }: UserEntry,
  network: string,
  { directory, waitUntil }: LookupContext,
): void {
  if (!isSuccessStale(lastSuccess)) return;
  waitUntil(recordSuccess(directory, user.address, network).catch(logUnwrittenNetwork));
}

function recordAppPassword(
  { appPassword }: UserEntry,
  { directory, waitUntil }: LookupContext,
): void {
  if (appPassword === null || !isUseStale(appPassword)) return;
  waitUntil(
    recordUse(directory, appPassword).catch((error: unknown) => {
      logError(`the use of an app password was not written: ${describe(error)}`);
    }),
  );
}

/** Replaces a weak hash. Only at a login is the password known. */
function rehash({ entry, weaklyHashed }: Verified, { directory, waitUntil }: LookupContext): void {
  if (weaklyHashed === undefined) return;
  const { address, passwordHash } = entry.user;
  const rehashed = async (): Promise<void> => {
    await replaceHash(directory, address, passwordHash, hashPassword(weaklyHashed));
  };
  waitUntil(
    rehashed().catch((error: unknown) => {
      logError(`a password hash was not renewed: ${describe(error)}`);
    }),
  );
}

function logUnwrittenNetwork(error: unknown): void {
  logError(`a user's known network was not written: ${describe(error)}`);
}
