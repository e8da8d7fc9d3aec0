/** The configuration of one run: a protocol, and directives that change what a session does. */
import type { Listen, ServerSettings } from "../../../proxy/config/index.ts";
import { type Protocol, configureProtocol } from "../../../proxy/protocols/index.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { serverSettings } from "../../support/proxy/settings.ts";
import type { Choices } from "./choices.ts";

export interface Scenario {
  readonly protocol: Protocol;
  readonly settings: ServerSettings;
  readonly listen: Listen;
  /** True where the server can speak TLS with clients. */
  readonly hasTls: boolean;
  /** True where names of clients are looked up. */
  readonly resolves: boolean;
  /** True where limits are granted by another process, later. */
  readonly limitsLater: boolean;
}

/** ms. The bound on a session before its login is worked out from these. */
export const TIMES = {
  timeout: 60_000,
  login_timeout: 120_000,
  auth_http_timeout: 30_000,
  proxy_connect_timeout: 20_000,
  proxy_timeout: 3_600_000,
} as const;

/** Refused logins of one session. */
export const MOST_REFUSALS = 3;

const BASE: Readonly<Record<ProtocolName, ServerSettings>> = {
  imap: serverSettings("imap", TIMES),
  pop3: serverSettings("pop3", TIMES),
  smtp: serverSettings("smtp", TIMES),
};

const AUTH: Partial<ServerSettings> = {
  imap_auth: ["plain", "login", "cram-md5", "xoauth2"],
  pop3_auth: ["plain", "cram-md5", "xoauth2"],
  smtp_auth: ["plain", "login", "cram-md5", "xoauth2", "none"],
};

const PREFIXES = { ipv4: [{ length: 32, factor: 1 }], ipv6: [{ length: 64, factor: 1 }] };

const LIMITS = ["client", "user", "server"] as const;

/** Scenarios that are made already, by their choices. */
const made = new Map<string, Scenario>();

export function chooseScenario(choices: Choices): Scenario {
  const name = choices.pick(["imap", "pop3", "smtp"]);
  const tls = choices.pick(["off", "off", "on", "on", "only", "ssl"]);
  // Each directive is set in a quarter of the runs.
  const flags = choices.below(1 << FLAGS.length) & choices.below(1 << FLAGS.length);
  const key = `${name} ${tls} ${flags}`;
  let scenario = made.get(key);
  if (scenario === undefined) {
    scenario = makeScenario(name, tls, flags);
    made.set(key, scenario);
  }
  return scenario;
}

/** Directives by a bit each. */
const FLAGS = [
  "proxyProtocol",
  "limits",
  "limitsLater",
  "cache",
  "clientId",
  "passErrors",
  "sendsProxy",
  "delayedGreeting",
  "resolves",
  "onlyTransactions",
] as const;

function makeScenario(
  name: ProtocolName,
  tls: "off" | "on" | "only" | "ssl",
  flags: number,
): Scenario {
  const has = (flag: (typeof FLAGS)[number]): boolean => ((flags >> FLAGS.indexOf(flag)) & 1) === 1;
  const base = BASE[name];
  const limits = has("limits");
  const settings: ServerSettings = {
    ...base,
    ...AUTH,
    starttls: tls === "ssl" ? "off" : tls,
    auth_http_keepalive: true,
    auth_http_cache: has("cache") ? { entries: 4 } : null,
    proxy_client_id: has("clientId"),
    proxy_pass_error_message: has("passErrors"),
    proxy_protocol: has("sendsProxy") ? "on" : "off",
    proxy_smtp_auth: !has("onlyTransactions"),
    smtp_greeting_delay: has("delayedGreeting") ? 1000 : 0,
    max_login_failures: MOST_REFUSALS,
    connectionLimits: limits
      ? LIMITS.map((by) => ({
          by,
          zone: by,
          most: by === "client" ? 2 : 1,
          room: 100,
          prefixes: PREFIXES,
        }))
      : [],
    limit_login_rate: limits ? { rate: 1, burst: 0, prefixes: PREFIXES } : null,
  };
  return {
    protocol: configureProtocol(settings),
    settings,
    listen: {
      ...base.listen[0]!,
      ssl: tls === "ssl",
      proxyProtocol: has("proxyProtocol"),
    },
    hasTls: tls !== "off",
    resolves: name === "smtp" && has("resolves"),
    limitsLater: limits && has("limitsLater"),
  };
}
