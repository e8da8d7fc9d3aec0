/** What the platform tells of a lookup, and what an isolate keeps from one to the next. */
import { drizzle } from "drizzle-orm/d1";
import type { Context } from "hono";
import { allowedSchemes } from "../passwords/schemes.ts";
import { rules, Standings } from "../penalties/index.ts";
import { HostNames, type Place } from "../routing/index.ts";
import type { Surroundings as LoginSurroundings } from "./authenticate.ts";
import type { Surroundings as RouteSurroundings } from "./route.ts";

/** By the resolver's address; an isolate has one. */
const hostNames = new Map<string, HostNames>();

export type Surroundings = LoginSurroundings & RouteSurroundings;

export function surroundings({ env, req, executionCtx }: Context<{ Bindings: Env }>): Surroundings {
  const keep = (work: Promise<unknown>) => executionCtx.waitUntil(work);
  return {
    directory: drizzle(env.DB),
    standings: new Standings(env.PENALTIES, rules(env), keep),
    defaultDomain: env.DEFAULT_DOMAIN,
    schemes: allowedSchemes(env.WEAK_PASSWORD_SCHEMES),
    keep,
    place: placeOf(req.raw.cf),
    resolve: (host) => namesFrom(env.DNS_OVER_HTTPS).resolve(host),
  };
}

function namesFrom(endpoint: string): HostNames {
  const known = hostNames.get(endpoint);
  if (known !== undefined) return known;
  const names = new HostNames(endpoint);
  hostNames.set(endpoint, names);
  return names;
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
