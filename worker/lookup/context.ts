/** What the platform tells of a lookup, and what an isolate keeps from one to the next. */
import { drizzle } from "drizzle-orm/d1";
import type { Context } from "hono";
import type { Freshness } from "../../shared/lookup.ts";
import { Reading } from "../directory/session.ts";
import { readProviders, Tokens } from "../oauth/index.ts";
import { allowedSchemes } from "../passwords/schemes/index.ts";
import { rules, Standings } from "../penalties/index.ts";
import { HostNames, type Place } from "../routing/index.ts";
import { readKeys, readMasterPasswords } from "../secrets/index.ts";
import type { Surroundings as LoginSurroundings } from "./verify.ts";
import { freshnessOf } from "./freshness.ts";
import type { Surroundings as RouteSurroundings } from "./route.ts";

const hostNames = kept((endpoint) => new HostNames(endpoint));
const sealingKeys = kept(readKeys);
const masterPasswords = kept(readMasterPasswords);
const tokens = kept((setting) => {
  const providers = readProviders(setting);
  return providers === null ? null : new Tokens(providers);
});

export type Surroundings = LoginSurroundings &
  RouteSurroundings & {
    /** Of what callers may keep. */
    readonly freshness: Freshness;
  };

export function surroundings({ env, req, executionCtx }: Context<{ Bindings: Env }>): Surroundings {
  const keep = (work: Promise<unknown>) => executionCtx.waitUntil(work);
  const directory = drizzle(env.DB);
  const reading = (from: D1SessionConstraint) => new Reading(directory, env.DB.withSession(from));
  return {
    directory,
    nearest: reading("first-unconstrained"),
    primary: reading("first-primary"),
    standings: new Standings(env.PENALTIES, rules(env), keep),
    addresses: { defaultDomain: env.DEFAULT_DOMAIN, separators: env.LOGIN_SEPARATORS },
    schemes: allowedSchemes(env.WEAK_PASSWORD_SCHEMES),
    tokens: () => tokens(env.OAUTH_PROVIDERS ?? ""),
    keys: () => sealingKeys(env.SECRET_KEYS ?? ""),
    masterPassword: (user) => masterPasswords(env.MASTER_PASSWORDS ?? "").get(user) ?? null,
    keep,
    freshness: freshnessOf(env),
    place: placeOf(req.raw.cf),
    resolve: (host) => hostNames(env.DNS_OVER_HTTPS).resolve(host),
  };
}

/** What is made of a setting, once for each value; an isolate meets one. */
function kept<Value>(make: (setting: string) => Value): (setting: string) => Value {
  const made = new Map<string, Value>();
  return (setting) => {
    const known = made.get(setting);
    if (known !== undefined) return known;
    const value = make(setting);
    made.set(setting, value);
    return value;
  };
}

/** The caller is a proxy of ours, so where it is says where its clients are, more or less. */
function placeOf(cf: Request["cf"]): Place | null {
  const latitude = degrees(cf?.latitude);
  const longitude = degrees(cf?.longitude);
  return latitude === null || longitude === null ? null : { latitude, longitude };
}

/** Cloudflare says them in text. */
function degrees(value: unknown): number | null {
  const number = typeof value === "string" && value !== "" ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}
