/** `ssl_conf_command`: OpenSSL's SSL_CONF commands (SSL_CONF_cmd(3)), as far as Node has an equivalent. */
import type { Directive } from "../language/directive.ts";
import { type ConfigError, type Place, toPlace } from "../language/error.ts";
import { words } from "../language/values.ts";
import { namedFile, namedKey } from "./named-file.ts";
import { type OpensslValue, opensslError } from "./openssl-value.ts";
import { parseFlags, setBits, unsupportedFlags } from "./option-bits.ts";
import type { PairCommand, TlsOptions } from "./settings.ts";
import { NO_VERSION, TLS_VERSIONS, type TlsVersion } from "./versions.ts";

export interface ConfCommand {
  readonly name: string;
  readonly value: string;
  readonly place: Place;
}

export function confCommand(directive: Directive): ConfCommand {
  const [name = "", value = ""] = words(directive);
  return { name, value, place: toPlace(directive) };
}

/** The options that commands change. */
export interface CommandTarget {
  ciphers: TlsOptions["ciphers"];
  ciphersuites: TlsOptions["ciphersuites"];
  groups: TlsOptions["groups"];
  signatureAlgorithms: TlsOptions["signatureAlgorithms"];
  dhparam: TlsOptions["dhparam"];
  readonly bits: Set<number>;
  /** Null for the versions that `bits` leave. */
  oldest: TlsVersion | null;
  newest: TlsVersion | null;
  readonly pairCommands: PairCommand[];
}

type Apply = (target: CommandTarget, command: ConfCommand, directory: string) => void;

/** By name in lower case, since OpenSSL ignores the case. Null for a command that Node has no equivalent of. */
const COMMANDS: Readonly<Record<string, Apply | null>> = {
  cipherstring: (target, command) => {
    target.ciphers = opensslValue(command);
  },
  ciphersuites: (target, command) => {
    target.ciphersuites = opensslValue(command);
  },
  curves: groups,
  groups,
  ecdhparameters: (target, command) => {
    if (!/^(?:auto|\+?automatic)$/i.test(command.value)) groups(target, command);
  },
  signaturealgorithms: (target, command) => {
    target.signatureAlgorithms = opensslValue(command);
  },
  dhparameters: (target, command, directory) => {
    const file = namedFile(command.value, directory, command.place);
    const called = call({ ...command, value: file.name });
    target.dhparam = { file, open: called, read: called };
  },
  options: (target, command) => {
    if (!setBits(target.bits, command.value)) throw badValue(command);
  },
  protocol: protocols,
  minprotocol: (target, command) => {
    target.oldest = version(command);
  },
  maxprotocol: (target, command) => {
    target.newest = version(command);
  },
  certificate: (target, { value, place }, directory) => {
    target.pairCommands.push({ kind: "certificate", file: namedFile(value, directory, place) });
  },
  privatekey: (target, command, directory) => {
    const file = namedKey(command.value, directory, command.place);
    const called = call({ ...command, value: file.name });
    target.pairCommands.push({ kind: "key", file, call: called });
  },
  clientsignaturealgorithms: null,
  verifymode: null,
  verifycafile: null,
  verifycapath: null,
  verifycastore: null,
  chaincafile: null,
  chaincapath: null,
  chaincastore: null,
  requestcafile: null,
  requestcapath: null,
  requestcastore: null,
  clientcafile: null,
  clientcapath: null,
  clientcastore: null,
  serverinfofile: null,
  recordpadding: null,
  numtickets: null,
};

/**
 * @param directory of the main configuration file
 * @throws ConfigError in nginx's words
 */
export function apply(target: CommandTarget, command: ConfCommand, directory: string): void {
  const row = find(command.name);
  if (row === undefined) {
    const unknown = `error:0A000182:SSL routines::unknown cmd name:cmd=${command.name}`;
    throw opensslError(call(command), unknown, command.place);
  }
  row?.(target, command, directory);
}

/** The notice about the parts of a command that have no effect; null for none. */
export function unsupportedPart({ name, value }: ConfCommand): string | null {
  if (find(name) === null) return `has no effect for ${name}: Node has no way to set it`;
  const flags = name.toLowerCase() === "options" ? unsupportedFlags(value) : [];
  return flags.length === 0
    ? null
    : `has no effect for ${flags.join(", ")} in ${name}: Node has no way to change it`;
}

function find(name: string): Apply | null | undefined {
  const known = name.toLowerCase();
  return Object.hasOwn(COMMANDS, known) ? COMMANDS[known] : undefined;
}

function groups(target: CommandTarget, command: ConfCommand): void {
  target.groups = opensslValue(command);
}

/** `ALL,-TLSv1.2` */
function protocols(target: CommandTarget, command: ConfCommand): void {
  for (const { name, on } of parseFlags(command.value)) {
    const key = name.toLowerCase();
    const named = TLS_VERSIONS.filter((known) => key === "all" || known.toLowerCase() === key);
    if (named.length === 0 && !["sslv2", "sslv3"].includes(key)) throw badValue(command);
    for (const known of named) {
      if (on) target.bits.delete(NO_VERSION[known]);
      else target.bits.add(NO_VERSION[known]);
    }
  }
}

/** @returns null for no bound, or one below all versions */
function version(command: ConfCommand): TlsVersion | null {
  const { value } = command;
  const known = TLS_VERSIONS.find((name) => name === value);
  if (known === undefined && value !== "None" && value !== "SSLv3") throw badValue(command);
  return known ?? null;
}

function opensslValue(command: ConfCommand): OpensslValue {
  return { value: command.value, call: call(command), place: command.place };
}

function call({ name, value }: ConfCommand): string {
  return `SSL_CONF_cmd("${name}", "${value}")`;
}

function badValue(command: ConfCommand): ConfigError {
  const { name, value, place } = command;
  const why = `error:0A000180:SSL routines::bad value:cmd=${name}, value=${value}`;
  return opensslError(call(command), why, place);
}
