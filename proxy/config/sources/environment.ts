/**
 * A configuration made of the environment, for containers: `-c /environment` reads it. Each variable is a file
 * of its own there, so that a mistake is told with the name of its variable, and what is checked is what is
 * checked in a file: `"worker_processes" directive invalid value in /environment/POSTERN_WORKERS:1`.
 */
import type { ByteString } from "../../../shared/lookup.ts";
import { encoded } from "../../bytes.ts";
import { ConfigError, type Place } from "../language/error.ts";
import { readFile } from "../language/files.ts";
import { suggest } from "../language/suggest.ts";

/** The main configuration; its variables are below it. */
export const ENVIRONMENT = "/environment";

type Environment = Readonly<NodeJS.ProcessEnv>;

interface Variable {
  readonly in: "main" | "events" | "mail";
  /** The directives that its value stands for. */
  readonly says: (value: string, place: Place) => string;
  readonly default?: string;
  /** Not to be shown by `-T`. */
  readonly secret?: true;
}

const VARIABLES: Readonly<Record<string, Variable>> = {
  POSTERN_WORKERS: { in: "main", says: directive("worker_processes"), default: "auto" },
  /** Docker kills 10 s after it has asked. */
  POSTERN_SHUTDOWN_TIMEOUT: {
    in: "main",
    says: directive("worker_shutdown_timeout"),
    default: "8s",
  },
  POSTERN_DRAIN_DELAY: { in: "main", says: directive("drain_delay") },
  POSTERN_CONNECTIONS: { in: "events", says: directive("worker_connections"), default: "16384" },
  POSTERN_AUTH_HTTP: { in: "mail", says: directive("auth_http") },
  POSTERN_AUTH_KEY: { in: "mail", says: authKey, secret: true },
  POSTERN_AUTH_KEY_FILE: {
    in: "mail",
    says: (path, place) => authKey(readFile(path, place).toString().trim(), place),
    secret: true,
  },
  POSTERN_CERTIFICATE: { in: "mail", says: directive("ssl_certificate") },
  POSTERN_CERTIFICATE_KEY: { in: "mail", says: directive("ssl_certificate_key") },
  POSTERN_SERVER_NAME: { in: "mail", says: directive("server_name") },
  POSTERN_STATUS_LISTEN: { in: "mail", says: directive("status_listen") },
  POSTERN_TRUSTED_NETWORKS: {
    in: "mail",
    says: (value) =>
      value
        .split(/[\s,]+/)
        .map(directive("set_real_ip_from"))
        .join("\n"),
  },
};

/** Whatever is called so, beside variables of other programs, is meant for us. */
const PREFIX = "POSTERN_";

/** Every variable, some of which are read elsewhere. */
export const variables: readonly string[] = [
  ...Object.keys(VARIABLES),
  "POSTERN_CONFIGURATION",
  "POSTERN_JAVA_OPTS",
];

/** The ports of each protocol, in the clear and under TLS: whoever is not root has them, too. */
const PORTS = [
  { protocol: "imap", clear: 1143, tls: 1993 },
  { protocol: "pop3", clear: 1110, tls: 1995 },
  { protocol: "smtp", clear: 1587, tls: 1465 },
] as const;

/**
 * @returns the file of that name, if it is one of the environment's; variables that are not set, or empty, have none
 * @throws ConfigError for an environment that is no configuration
 */
export function environmentFile(
  path: string,
  env: Environment,
): { readonly bytes: ByteString; readonly secret: boolean } | null {
  if (path === ENVIRONMENT) return { bytes: encoded(configuration(env)), secret: false };
  for (const [name, { says, secret = false }] of given(env)) {
    if (path !== fileOf(name)) continue;
    const text = says(valueOf(env, name), { file: path, line: 1 });
    return { bytes: encoded(`${text}\n`), secret };
  }
  return null;
}

function fileOf(name: string): string {
  return `${ENVIRONMENT}/${name}`;
}

/** Blanks around it are no part of it; empty where the variable is not set. */
function valueOf(env: Environment, name: string): string {
  return env[name]?.trim() || (VARIABLES[name]?.default ?? "");
}

/** Those that have a value. */
function given(env: Environment): readonly (readonly [name: string, Variable])[] {
  return Object.entries(VARIABLES).filter(([name]) => valueOf(env, name) !== "");
}

function configuration(env: Environment): string {
  check(env);
  const included = (context: Variable["in"]): string =>
    given(env)
      .filter(([, variable]) => variable.in === context)
      .map(([name]) => `include ${fileOf(name)};`)
      .join("\n");
  return `
error_log stderr notice;
${included("main")}
events {
${included("events")}
}
mail {
${included("mail")}
proxy_smtp_auth on;
xclient off;
${servers(env)}
}
`.trimStart();
}

/** A server that has a certificate takes no password in the clear; one that has none is behind what ends TLS. */
function servers(env: Environment): string {
  const how = valueOf(env, "POSTERN_TRUSTED_NETWORKS") === "" ? "" : " proxy_protocol";
  const encrypts = valueOf(env, "POSTERN_CERTIFICATE") !== "";
  return PORTS.map(({ protocol, clear, tls }) => {
    const encrypted = encrypts ? ` listen ${tls} ssl${how}; starttls only;` : "";
    return `server { protocol ${protocol}; listen ${clear}${how};${encrypted} }`;
  }).join("\n");
}

/** What no single variable is to blame for. */
function check(env: Environment): void {
  refuseMisspelt(env);
  const names = new Set(given(env).map(([name]) => name));
  if (!names.has("POSTERN_AUTH_HTTP")) {
    throw new ConfigError(
      "POSTERN_AUTH_HTTP is not set",
      undefined,
      "it is the lookup endpoint's URL, such as https://HOST/auth; or mount a configuration",
    );
  }
  if (names.has("POSTERN_AUTH_KEY") && names.has("POSTERN_AUTH_KEY_FILE")) {
    throw new ConfigError("POSTERN_AUTH_KEY and POSTERN_AUTH_KEY_FILE are both set");
  }
  const pair = ["POSTERN_CERTIFICATE", "POSTERN_CERTIFICATE_KEY"];
  const missing = pair.filter((name) => !names.has(name));
  if (missing.length === 1) {
    throw new ConfigError(`${missing[0]} is not set: ${pair.join(" and ")} go together`);
  }
  if (missing.length > 0 && !names.has("POSTERN_TRUSTED_NETWORKS")) {
    throw new ConfigError(
      "POSTERN_CERTIFICATE is not set, and passwords would be taken in the clear",
      undefined,
      "a load balancer that ends TLS in front of this is named by POSTERN_TRUSTED_NETWORKS",
    );
  }
}

/** Kubernetes and Docker set variables of their own for a service of our name: those are like none of ours. */
function refuseMisspelt(env: Environment): void {
  const known = variables.map(rest);
  for (const name of Object.keys(env)) {
    if (!name.startsWith(PREFIX) || variables.includes(name)) continue;
    const near = suggest(rest(name), known);
    if (near === null) continue;
    throw new ConfigError(`unknown variable ${name}`, undefined, `did you mean ${PREFIX}${near}?`);
  }
}

function rest(name: string): string {
  return name.slice(PREFIX.length);
}

function directive(name: string): (value: string) => string {
  return (value) => `${name} ${quoted(value)};`;
}

/** What cannot stand in a header is never a key; it is not shown. */
function authKey(key: string, place: Place): string {
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ConfigError("a key is printable ASCII without blanks, which this is not", place);
  }
  return `auth_http_header X-Auth-Key ${quoted(key)};`;
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
