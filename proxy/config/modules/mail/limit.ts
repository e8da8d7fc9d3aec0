/**
 * How many connections, and how many logins: `limit_conn` is that of nginx's ngx_stream_limit_conn_module,
 * `limit_login_rate` is ours, in the words of ngx_http_limit_req_module.
 */
import { MAIL, type Rows, once } from "../../language/row.ts";
import { ConfigError, type Place, toPlace } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";
import { type Paths, bytes, words } from "../../language/values.ts";
import { SMALLEST_ZONE, declareZone } from "../../language/zone.ts";

/** Variables that may be a key, and what they count by: clients by their network, users, upstreams. */
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
  /** Keys that it has room for. */
  readonly room: number;
}

/** A `limit_conn` as it stands; its zone may be declared behind it. */
interface WrittenLimit {
  readonly zone: string;
  readonly most: number;
  readonly place: Place;
}

/** A `limit_conn` with what is known of its zone. */
export interface ConnectionLimit {
  readonly zone: string;
  readonly by: CountedBy;
  readonly room: number;
  /** Connections that may be open under one key. */
  readonly most: number;
}

interface LoginRate {
  /** Logins a second. */
  readonly rate: number;
  /** Logins beyond it that may come at once. */
  readonly burst: number;
}

/** Bytes of a zone that a key takes, by nginx's documentation. */
const KEY_BYTES = 64;

const MOST_CONNECTIONS = 65_535;

function limitZone(
  directive: Directive,
  _paths: Paths,
  earlier: readonly Zone[] = [],
): readonly Zone[] {
  const [variable = "", parameter = ""] = words(directive);
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
  return [...earlier, { name, variable, by, room: Math.floor(size / KEY_BYTES) }];
}

/** `zone=NAME:SIZE`, the size in bytes. */
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
  if (most > MOST_CONNECTIONS) {
    throw new ConfigError("connection limit must be less 65536", directive);
  }
  return [...earlier, { zone, most, place: toPlace(directive) }];
}

/**
 * A server's limits with their zones.
 *
 * @throws ConfigError where one names a zone that is not there
 */
export function connectionLimits(
  limits: readonly WrittenLimit[],
  zones: readonly Zone[],
): readonly ConnectionLimit[] {
  return limits.map(({ zone: name, most, place }) => {
    const zone = zones.find((one) => one.name === name);
    if (zone === undefined) throw new ConfigError(`zero size shared memory zone "${name}"`, place);
    return { zone: name, by: zone.by, room: zone.room, most };
  });
}

/** `30r/m burst=10`, or `off`. Without a burst, as many may come at once as the rate says. */
function loginRate(directive: Directive): LoginRate | null {
  const [rate = "", parameter] = words(directive);
  if (rate === "off" && parameter === undefined) return null;
  const [, digits = "", unit] = /^(\d+)(r\/[sm])?$/.exec(rate) ?? [];
  const logins = positive(digits);
  if (logins === null) throw new ConfigError(`invalid rate "${rate}"`, directive);
  return {
    rate: unit === "r/m" ? logins / 60 : logins,
    burst: parameter === undefined ? logins : burstOf(parameter, directive),
  };
}

function burstOf(parameter: string, directive: Directive): number {
  const [, digits] = /^burst=(.*)$/.exec(parameter) ?? [];
  if (digits === undefined) throw new ConfigError(`invalid parameter "${parameter}"`, directive);
  const burst = positive(digits);
  if (burst === null) throw new ConfigError(`invalid burst value "${parameter}"`, directive);
  return burst;
}

function positive(digits: string): number | null {
  const value = /^\d{1,15}$/.test(digits) ? Number(digits) : 0;
  return value > 0 ? value : null;
}

export const limits = {
  limit_conn_zone: { in: ["mail"], args: 2, read: limitZone, default: [] as readonly Zone[] },
  limit_conn: { in: MAIL, args: 2, read: limit, default: [] as readonly WrittenLimit[] },
  limit_login_rate: {
    in: MAIL,
    args: [1, 2],
    read: once(loginRate),
    default: null as LoginRate | null,
  },
} satisfies Rows;
