/**
 * For how long a caller may answer a lookup itself: those who say that they can, and know what may be kept. Of
 * answers alone that hold for the next login as well: a yes to a password or a token, without a password in it.
 */
import type { Freshness } from "../../shared/lookup.ts";
import type { Proved } from "./methods/index.ts";
import type { Accepted, Unavailable } from "./result.ts";
import type { LookupRequest } from "./parse.ts";

/** The variables of `wrangler.toml`: seconds, as text. */
interface Variables {
  readonly LOOKUP_MAX_AGE: string;
  readonly LOOKUP_STALE_IF_ERROR: string;
}

/** Half a minute, since a disabled user is to be out within one; and an hour while we are out of reach. */
export function freshnessOf(variables: Variables): Freshness {
  return {
    maxAge: seconds(variables.LOOKUP_MAX_AGE, 30),
    staleIfError: seconds(variables.LOOKUP_STALE_IF_ERROR, 3600),
  };
}

/** Where there is none, as in an environment without its own variables, the default is taken. */
function seconds(text: string | undefined, otherwise: number): number {
  return /^\d{1,7}$/.test(text ?? "") ? Number(text) : otherwise;
}

/** An answer with its freshness, if it may be kept: never beyond the life of what has proved who the client is. */
export function fresh(
  outcome: Accepted | Unavailable,
  { until = Number.POSITIVE_INFINITY }: Proved,
  { method, accepts }: LookupRequest,
  most: Freshness,
): Accepted | Unavailable {
  const bearer = method === "xoauth2" || method === "oauthbearer";
  if (outcome.kind !== "accepted" || outcome.password !== null) return outcome;
  if (!accepts.has("cache") || !(bearer || method === "plain")) return outcome;
  const left = Math.max(0, Math.floor((until - Date.now()) / 1000));
  const maxAge = Math.min(most.maxAge, left);
  const staleIfError = Math.min(most.staleIfError, left - maxAge);
  return maxAge + staleIfError === 0
    ? outcome
    : { ...outcome, freshness: { maxAge, staleIfError } };
}
