/**
 * Limits of connections and logins. `limit_conn` is nginx's ngx_stream_limit_conn_module; `limit_login_rate` is
 * ours, with the syntax of ngx_http_limit_req_module.
 */
import { MAIL, type Rows, once } from "../../language/row.ts";
import { ConfigError, type Place, toPlace } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";
import { type Paths, bytes, words } from "../../language/values.ts";
import { SMALLEST_ZONE, declareZone } from "../../language/zone.ts";
import { IPV6_PREFIXES, type Prefixes, withPrefixes } from "./prefixes.ts";

/** The variables that may be a key: clients count by network, users by name, upstreams by address. */
const KEYS = {
  $binary_remote_addr: "client",
  $remote_addr: "client",
  $remote_user: "user",
  $upstream_addr: "server",
} as const;

type CountedBy = (typeof KEYS)[keyof typeof KEYS];

interface Zone {
  readonly name: string;
  readonly variable: string;
  readonly by: CountedBy;
  /** The networks that are its keys, where it counts clients. */
  readonly prefixes: Prefixes;
  /** Keys that fit into the zone. */
  readonly room: number;
}

/** A `limit_conn` by itself, since its zone may be declared later in the file. */
interface WrittenLimit {
  readonly zone: string;
  readonly most: number;
  readonly place: Place;
}

/** A `limit_conn` with its zone. */
export interface ConnectionLimit {
  readonly zone: string;
  readonly by: CountedBy;
  readonly prefixes: Prefixes;
  readonly room: number;
  /** Open connections allowed for one key, in its narrowest network. */
  readonly most: number;
}

export interface LoginRate {
  /** Logins a second in the narrowest network. */
  readonly rate: number;
  /** Logins beyond the rate that are allowed at once. */
  readonly burst: number;
  readonly prefixes: Prefixes;
}

/** Bytes of a zone for each key, by nginx's documentation. */
const KEY_BYTES = 64;

const MAX_CONNECTIONS = 65_535;

/** An IPv4 address counts alone, as in nginx. */
const CONNECTION_PREFIXES: Prefixes = { ipv4: [{ length: 32, factor: 1 }], ipv6: IPV6_PREFIXES };

const LOGIN_PREFIXES: Prefixes = {
  ipv4: [
    { length: 32, factor: 1 },
    { length: 24, factor: 16 },
  ],
  ipv6: IPV6_PREFIXES,
};

function limitZone(
  directive: Directive,
  _paths: Paths,
  earlier: readonly Zone[] = [],
): readonly Zone[] {
  const [variable = "", parameter = "", ...more] = words(directive);
  const by = Object.entries(KEYS).find(([known]) => known === variable)?.[1];
  if (by === undefined) {
    const advice = `"limit_conn_zone" counts by ${Object.keys(KEYS).join(", ")}`;
    throw new ConfigError(`unknown "${variable.replace(/^\$/, "")}" variable`, directive, advice);
  }
  const { name, size } = zoneOf(parameter, directive);
  declareZone(name, size, directive);
  const bound = earlier.find((zone) => zone.name === name);
  if (bound !== undefined) {
    throw new ConfigError(
      `limit_conn_zone "${name}" is already bound to key "${bound.variable}"`,
      directive,
    );
  }
  // Only a client has networks.
  const prefixes = prefixesOf(by === "client" ? CONNECTION_PREFIXES : null, more, directive);
  return [...earlier, { name, variable, by, prefixes, room: Math.floor(size / KEY_BYTES) }];
}

/**
 * Reads parameters that are prefixes.
 *
 * @param defaults null where there can be none
 */
function prefixesOf(
  defaults: Prefixes | null,
  parameters: readonly string[],
  directive: Directive,
): Prefixes {
  let prefixes = defaults;
  for (const parameter of parameters) {
    prefixes = prefixes === null ? null : withPrefixes(prefixes, parameter, directive);
    if (prefixes === null) throw new ConfigError(`invalid parameter "${parameter}"`, directive);
  }
  return prefixes ?? NO_PREFIXES;
}

const NO_PREFIXES: Prefixes = { ipv4: [], ipv6: [] };

/** Reads `zone=NAME:SIZE`. @returns the size in bytes */
function zoneOf(parameter: string, directive: Directive): { name: string; size: number } {
  if (!parameter.startsWith("zone=")) {
    throw new ConfigError(`invalid parameter "${parameter}"`, directive);
  }
  const [, name, digits = ""] = /^zone=([^:]*):(.*)$/.exec(parameter) ?? [];
  const size = bytes(digits);
  if (name === undefined || !Number.isSafeInteger(size)) {
    throw new ConfigError(`invalid zone size "${parameter}"`, directive);
  }
  if (size < SMALLEST_ZONE) throw new ConfigError(`zone "${parameter}" is too small`, directive);
  if (name === "") throw new ConfigError('"limit_conn_zone" must have "zone" parameter', directive);
  return { name, size };
}

function limit(
  directive: Directive,
  _paths: Paths,
  earlier: readonly WrittenLimit[] = [],
): readonly WrittenLimit[] {
  const [zone = "", number = ""] = words(directive);
  if (earlier.some((one) => one.zone === zone)) {
    throw new ConfigError('"limit_conn" directive is duplicate', directive);
  }
  const most = positive(number);
  if (most === null) throw new ConfigError(`invalid number of connections "${number}"`, directive);
  if (most > MAX_CONNECTIONS) {
    throw new ConfigError("connection limit must be less 65536", directive);
  }
  return [...earlier, { zone, most, place: toPlace(directive) }];
}

/**
 * Joins a server's limits with their zones.
 *
 * @throws ConfigError for a limit whose zone is not declared
 */
export function connectionLimits(
  limits: readonly WrittenLimit[],
  zones: readonly Zone[],
): readonly ConnectionLimit[] {
  return limits.map(({ zone: name, most, place }) => {
    const zone = zones.find((one) => one.name === name);
    if (zone === undefined) throw new ConfigError(`zero size shared memory zone "${name}"`, place);
    return { zone: name, by: zone.by, prefixes: zone.prefixes, room: zone.room, most };
  });
}

/** Reads `30r/m burst=10 ipv4_prefix=32 ipv6_prefix=64`, or `off`. The default burst is the number of the rate. */
function loginRate(directive: Directive): LoginRate | null {
  const [rate = "", ...parameters] = words(directive);
  if (rate === "off" && parameters.length === 0) return null;
  const [, digits = "", unit] = /^(\d+)(r\/[sm])?$/.exec(rate) ?? [];
  const logins = positive(digits);
  if (logins === null) throw new ConfigError(`invalid rate "${rate}"`, directive);
  const bursts = parameters.filter((word) => word.startsWith(BURST));
  const others = parameters.filter((word) => !word.startsWith(BURST));
  return {
    rate: unit === "r/m" ? logins / 60 : logins,
    burst: bursts.reduce((_, word) => burstOf(word, directive), logins),
    prefixes: prefixesOf(LOGIN_PREFIXES, others, directive),
  };
}

const BURST = "burst=";

function burstOf(parameter: string, directive: Directive): number {
  const burst = positive(parameter.slice(BURST.length));
  if (burst === null) throw new ConfigError(`invalid burst value "${parameter}"`, directive);
  return burst;
}

function positive(digits: string): number | null {
  const value = /^\d{1,15}$/.test(digits) ? Number(digits) : 0;
  return value > 0 ? value : null;
}

export const limits = {
  limit_conn_zone: { in: ["mail"], args: [2, 4], read: limitZone, default: [] as readonly Zone[] },
  limit_conn: { in: MAIL, args: 2, read: limit, default: [] as readonly WrittenLimit[] },
  limit_login_rate: {
    in: MAIL,
    args: [1, 4],
    read: once(loginRate),
    default: null as LoginRate | null,
  },
} satisfies Rows;
