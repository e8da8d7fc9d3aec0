/**
 * Alarms: the failures of a domain, and of all logins together.
 *
 * They refuse no login, since an attacker could otherwise lock out every user. An alarm is logged and listed with the
 * blocks, and it shrinks the places for password hashes of networks that are not known good (`isUnderAttack`).
 *
 * One failure of eight is counted, in one of four objects, so that no object meets all failures.
 */
import { LRUCache } from "lru-cache";
import { describe, logError, logWarning } from "../log/log.ts";
import type { FailureCounters } from "./counter.ts";
import type { PenaltyLimits } from "./limits.ts";
import { blockIndex, counterOf, shardOf } from "./shards.ts";

/** One failure of this many is counted. */
export const FAILURES_PER_SAMPLE = 8;

/** Objects that share the samples of one subject. */
const OBJECTS = 4;

type AlarmKind = "domain" | "all";

/** Characters of a domain (RFC 1035 section 2.3.4). */
const MAX_DOMAIN_LENGTH = 255;

/** ms that an isolate remembers an alarm. */
const REMEMBERED = 60_000;

/** The domains under attack, and `ALL`. With another `ttlResolution` nothing would expire (`block-cache.ts`). */
const alarms = new LRUCache<string, true>({ max: 1000, ttl: REMEMBERED, ttlResolution: 0 });

/** The subject of the alarm for all logins. No domain has this name. */
const ALL = "*";

/** True if this isolate heard of an alarm lately, for this login's domain or for all logins. */
export function isUnderAttack(login: string): boolean {
  return alarms.has(ALL) || alarms.has(domainOf(login));
}

/** @param random a number from 0 to 1, 1 excluded */
export async function sampleFailure(
  counters: FailureCounters,
  limits: PenaltyLimits,
  login: string,
  random: () => number = Math.random,
): Promise<void> {
  if (random() * FAILURES_PER_SAMPLE >= 1) return;
  const object = Math.floor(random() * OBJECTS);
  const domain = domainOf(login);
  await Promise.all([
    countSample(counters, limits, "all", ALL, object),
    domain !== "" && countSample(counters, limits, "domain", domain, object),
  ]).catch((error: unknown) => logError(`an alarm misses a failure: ${describe(error)}`));
}

async function countSample(
  counters: FailureCounters,
  limits: PenaltyLimits,
  kind: AlarmKind,
  name: string,
  object: number,
): Promise<void> {
  const permitted = samplesPermitted(limits[kind]);
  const key = { name, login: "", network: "", permitted, effect: "add" } as const;
  const subject = `${name} ${object}`;
  const counter = await counterOf(counters, kind, subject);
  const [count] = await counter.tally([key], limits.window, true);
  if (count === undefined || count.failures + 1 < permitted) return;
  const isNew = !alarms.has(name);
  alarms.set(name, true);
  if (count.failures + 1 === permitted) {
    await blockIndex(counters).note(await shardOf(kind, subject), count.expires);
    if (isNew) {
      logWarning("many logins fail; networks that are not known good get fewer password hashes", {
        kind,
        domain: kind === "domain" ? name : undefined,
        failures: String(limits[kind]),
      });
    }
  }
}

/** The share of one object in the permitted failures. */
function samplesPermitted(failures: number): number {
  return Math.max(1, Math.ceil(failures / FAILURES_PER_SAMPLE / OBJECTS));
}

/** @returns empty for a bare name */
function domainOf(login: string): string {
  const at = login.lastIndexOf("@");
  return at === -1 ? "" : login.slice(at + 1).slice(0, MAX_DOMAIN_LENGTH);
}
