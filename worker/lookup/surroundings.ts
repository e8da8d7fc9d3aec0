/** What the platform tells of a lookup, and what an isolate keeps from one to the next. */
import { drizzle } from "drizzle-orm/d1";
import { HostNames, type Place } from "../routing/index.ts";
import type { Surroundings } from "./route.ts";

/** By the resolver's address; an isolate has one. */
const hostNames = new Map<string, HostNames>();

export function surroundings({ DB, DNS_OVER_HTTPS }: Env, request: Request): Surroundings {
  return {
    directory: drizzle(DB),
    place: placeOf(request.cf),
    resolve: (host) => namesFrom(DNS_OVER_HTTPS).resolve(host),
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
