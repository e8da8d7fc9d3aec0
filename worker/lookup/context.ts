/** The context of a lookup: its request, the stores and the settings. */
import { drizzle } from "drizzle-orm/d1";
import type { Context } from "hono";
import type { Freshness } from "../../shared/lookup.ts";
import { DirectorySession } from "../directory/session.ts";
import { readProviders, TokenVerifier } from "../oauth/index.ts";
import { allowedSchemes } from "../passwords/schemes/index.ts";
import { knowWork, recordWork } from "../passwords/work-records.ts";
import { penaltyLimits, PenaltyStore } from "../penalties/index.ts";
import { type Coordinates, DnsOverHttps } from "../routing/index.ts";
import { readKeys, readMasterPasswords } from "../secrets/index.ts";
import type { DirectorySessions } from "./find.ts";
import type { MethodContext } from "./methods/index.ts";
import type { ParsedLookup } from "./parse.ts";

export interface LookupContext extends MethodContext, DirectorySessions {
  readonly request: ParsedLookup;
  readonly penalties: PenaltyStore;
  /** A master user's password at the mail servers; null if there is none. */
  readonly masterPassword: (user: string) => string | null;
  /** The longest times that callers may cache a reply. */
  readonly freshness: Freshness;
  /** The place of the calling proxy; null if it is unknown. */
  readonly coordinates: Coordinates | null;
  /** @throws Error if a host has no address, or cannot be resolved */
  readonly resolve: (host: string) => Promise<string>;
  /** Lets work finish after the response. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

const resolvers = memoize((endpoint) => new DnsOverHttps(endpoint));
const sealingKeys = memoize(readKeys);
const masterPasswords = memoize(readMasterPasswords);
const tokenVerifiers = memoize((setting) => {
  const providers = readProviders(setting);
  return providers === null ? null : new TokenVerifier(providers);
});

export function lookupContext(
  { env, req, executionCtx }: Context<{ Bindings: Env }>,
  request: ParsedLookup,
): LookupContext {
  const waitUntil = (work: Promise<unknown>) => executionCtx.waitUntil(work);
  const directory = drizzle(env.DB);
  const session = (start: D1SessionBookmark) =>
    new DirectorySession(directory, env.DB.withSession(start));
  const nearest = session(request.bookmark ?? "first-unconstrained");
  const schemes = allowedSchemes(env.WEAK_PASSWORD_SCHEMES);
  return {
    request,
    directory,
    nearest,
    primary: session("first-primary"),
    penalties: new PenaltyStore(env.PENALTIES, penaltyLimits(env), waitUntil),
    passwordWork: {
      know: () => knowWork(nearest, schemes, waitUntil),
      record: () => recordWork(directory, waitUntil),
    },
    addresses: { defaultDomain: env.DEFAULT_DOMAIN, separators: env.LOGIN_SEPARATORS },
    schemes,
    tokens: () => tokenVerifiers(env.OAUTH_PROVIDERS ?? ""),
    keys: () => sealingKeys(env.SECRET_KEYS ?? ""),
    masterPassword: (user) => masterPasswords(env.MASTER_PASSWORDS ?? "").get(user) ?? null,
    freshness: {
      // A disabled user must be out within a minute.
      maxAge: seconds(env.LOOKUP_MAX_AGE, 30),
      staleIfError: seconds(env.LOOKUP_STALE_IF_ERROR, 3600),
    },
    coordinates: coordinatesOf(req.raw.cf),
    resolve: (host) => resolvers(env.DNS_OVER_HTTPS).resolve(host),
    waitUntil,
  };
}

/** Calls `make` once for each value of a setting. An isolate meets one value. */
function memoize<Value>(make: (setting: string) => Value): (setting: string) => Value {
  const made = new Map<string, Value>();
  return (setting) => {
    const known = made.get(setting);
    if (known !== undefined) return known;
    const value = make(setting);
    made.set(setting, value);
    return value;
  };
}

/** An environment without variables gets the default. */
function seconds(text: string | undefined, defaultValue: number): number {
  return /^\d{1,7}$/.test(text ?? "") ? Number(text) : defaultValue;
}

/** The place of the calling proxy stands for that of its clients. */
function coordinatesOf(cf: Request["cf"]): Coordinates | null {
  const latitude = degrees(cf?.latitude);
  const longitude = degrees(cf?.longitude);
  return latitude === null || longitude === null ? null : { latitude, longitude };
}

/** Cloudflare writes degrees as text. */
function degrees(value: unknown): number | null {
  const number = typeof value === "string" && value !== "" ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}
