/**
 * Makes a configuration of environment variables, for containers: `-c /environment` reads it. Each variable is
 * an included file of its own, so it is checked like any file, and a mistake names the variable:
 * `"worker_processes" directive invalid value in /environment/POSTERN_WORKERS:1`.
 */
import type { ByteString } from "../../../shared/lookup.ts";
import { encoded } from "../../bytes.ts";
import { ConfigError, type Place } from "../language/error.ts";
import { readSecretFile } from "../language/files.ts";
import { suggest } from "../language/suggest.ts";

/** The path of the main configuration; those of variables are below it. */
export const ENVIRONMENT = "/environment";

type Environment = Readonly<NodeJS.ProcessEnv>;

interface Variable {
  readonly in: "main" | "events" | "mail";
  /** Turns the value into directives. */
  readonly toDirectives: (value: string, place: Place) => string;
  readonly default?: string;
  /** Hides the variable from `-T`. */
  readonly secret?: true;
}

const VARIABLES: Readonly<Record<string, Variable>> = {
  POSTERN_WORKERS: { in: "main", toDirectives: directive("worker_processes"), default: "auto" },
  /** Docker sends KILL 10 s after TERM. */
  POSTERN_SHUTDOWN_TIMEOUT: {
    in: "main",
    toDirectives: directive("worker_shutdown_timeout"),
    default: "8s",
  },
  POSTERN_DRAIN_DELAY: { in: "main", toDirectives: directive("drain_delay") },
  POSTERN_CONNECTIONS: {
    in: "events",
    toDirectives: directive("worker_connections"),
    default: "16384",
  },
  POSTERN_AUTH_HTTP: { in: "mail", toDirectives: directive("auth_http") },
  POSTERN_AUTH_KEY: { in: "mail", toDirectives: authKey, secret: true },
  POSTERN_AUTH_KEY_FILE: {
    in: "mail",
    toDirectives: (path, place) =>
      authKey(readSecretFile(path, "POSTERN_AUTH_KEY_FILE", place).toString().trim(), place),
    secret: true,
  },
  POSTERN_CERTIFICATE: { in: "mail", toDirectives: directive("ssl_certificate") },
  POSTERN_CERTIFICATE_KEY: { in: "mail", toDirectives: directive("ssl_certificate_key") },
  POSTERN_SERVER_NAME: { in: "mail", toDirectives: directive("server_name") },
  POSTERN_STATUS_LISTEN: { in: "mail", toDirectives: directive("status_listen") },
  POSTERN_TRUSTED_NETWORKS: { in: "mail", toDirectives: eachOf("set_real_ip_from") },
  POSTERN_UPSTREAM_ALLOW: { in: "mail", toDirectives: eachOf("upstream_allow") },
};

/** Variables with this prefix are Postern's. */
const PREFIX = "POSTERN_";

/** Every variable, those that other files read included. */
export const variables: readonly string[] = [
  ...Object.keys(VARIABLES),
  "POSTERN_CONFIGURATION",
  "POSTERN_JAVA_OPTS",
];

/** The ports of each protocol, in the clear and under TLS. Processes without root's rights may use them. */
const PORTS = [
  { protocol: "imap", clear: 1143, tls: 1993 },
  { protocol: "pop3", clear: 1110, tls: 1995 },
  { protocol: "smtp", clear: 1587, tls: 1465 },
] as const;

/**
 * @returns null for a path that is not `/environment`, nor below it the name of a variable with a value
 * @throws ConfigError for an environment that does not make a configuration
 */
export function environmentFile(
  path: string,
  env: Environment,
): { readonly bytes: ByteString; readonly secret: boolean } | null {
  if (path === ENVIRONMENT) return { bytes: encoded(configuration(env)), secret: false };
  for (const [name, { toDirectives, secret = false }] of variablesIn(env)) {
    if (path !== fileOf(name)) continue;
    const text = toDirectives(valueOf(env, name), { file: path, line: 1 });
    return { bytes: encoded(`${text}\n`), secret };
  }
  return null;
}

function fileOf(name: string): string {
  return `${ENVIRONMENT}/${name}`;
}

/** The value without surrounding blanks, or the default; empty where there is neither. */
function valueOf(env: Environment, name: string): string {
  return env[name]?.trim() || (VARIABLES[name]?.default ?? "");
}

/** The variables that have a value. */
function variablesIn(env: Environment): readonly (readonly [name: string, Variable])[] {
  return Object.entries(VARIABLES).filter(([name]) => valueOf(env, name) !== "");
}

function configuration(env: Environment): string {
  check(env);
  const included = (context: Variable["in"]): string =>
    variablesIn(env)
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

/** With a certificate, servers require TLS before a login. Without one, a load balancer in front terminates TLS. */
function servers(env: Environment): string {
  const how = valueOf(env, "POSTERN_TRUSTED_NETWORKS") === "" ? "" : " proxy_protocol";
  const encrypts = valueOf(env, "POSTERN_CERTIFICATE") !== "";
  return PORTS.map(({ protocol, clear, tls }) => {
    const encrypted = encrypts ? ` listen ${tls} ssl${how}; starttls only;` : "";
    return `server { protocol ${protocol}; listen ${clear}${how};${encrypted} }`;
  }).join("\n");
}

/** Checks what depends on several variables. */
function check(env: Environment): void {
  refuseMisspelt(env);
  const names = new Set(variablesIn(env).map(([name]) => name));
  if (!names.has("POSTERN_AUTH_HTTP")) {
    throw new ConfigError(
      "POSTERN_AUTH_HTTP is not set",
      undefined,
      "set it to the URL of the lookup endpoint, such as https://HOST/auth, or mount a configuration",
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
      "POSTERN_CERTIFICATE is not set, so passwords would be accepted unencrypted",
      undefined,
      "if a load balancer in front terminates TLS, set POSTERN_TRUSTED_NETWORKS to its addresses",
    );
  }
}

/** Kubernetes and Docker set variables with our prefix for a service of our name. Those resemble none of ours. */
function refuseMisspelt(env: Environment): void {
  const known = variables.map(withoutPrefix);
  for (const name of Object.keys(env)) {
    if (!name.startsWith(PREFIX) || variables.includes(name)) continue;
    const suggestion = suggest(withoutPrefix(name), known);
    if (suggestion === null) continue;
    throw new ConfigError(
      `unknown variable ${name}`,
      undefined,
      `did you mean ${PREFIX}${suggestion}?`,
    );
  }
}

function withoutPrefix(name: string): string {
  return name.slice(PREFIX.length);
}

function directive(name: string): (value: string) => string {
  return (value) => `${name} ${quoted(value)};`;
}

/** A directive for each of several values. */
function eachOf(name: string): (value: string) => string {
  return (value) =>
    value
      .split(/[\s,]+/)
      .map(directive(name))
      .join("\n");
}

/** Refuses a key that a header cannot carry. The error does not quote it. */
function authKey(key: string, place: Place): string {
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ConfigError("the key must be printable ASCII without blanks", place);
  }
  return `auth_http_header X-Auth-Key ${quoted(key)};`;
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
