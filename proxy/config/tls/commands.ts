/** `ssl_conf_command`: OpenSSL's SSL_CONF commands (SSL_CONF_cmd(3)), as far as Node can do what they say. */
import { type ConfigError, type Place, toPlace } from "../language/error.ts";
import type { KeyPairs } from "../../certificates/files/key-pairs.ts";
import { type Judged, failed } from "./openssl-errors.ts";
import type { Directive } from "../language/directive.ts";
import { fixedOptions, setOptions, wishes } from "./options.ts";
import type { TlsFiles } from "../../certificates/files/tls-files.ts";
import { words } from "../language/values.ts";
import { NO_VERSION, TLS_VERSIONS, type TlsVersion } from "./settings.ts";

export interface ConfCommand {
  readonly name: string;
  readonly value: string;
  readonly place: Place;
}

export function confCommand(directive: Directive): ConfCommand {
  const [name = "", value = ""] = words(directive);
  return { name, value, place: toPlace(directive) };
}

/** What commands change, as the other directives have made it. */
export interface Draft {
  readonly pairs: KeyPairs;
  ciphers: Judged;
  ciphersuites: Judged | null;
  groups: Judged;
  signatureAlgorithms: Judged | null;
  dhparam: Judged | null;
  readonly options: Set<number>;
  /** Null for whatever `options` leave. */
  oldest: TlsVersion | null;
  newest: TlsVersion | null;
}

type Apply = (
  draft: Draft,
  command: ConfCommand,
  files: TlsFiles,
  passwords: readonly string[],
) => void;

/** By name in small letters: OpenSSL does not mind the case. Null for what Node has no way to do. */
const COMMANDS: Readonly<Record<string, Apply | null>> = {
  cipherstring: (draft, command) => {
    draft.ciphers = judged(command);
  },
  ciphersuites: (draft, command) => {
    draft.ciphersuites = judged(command);
  },
  curves: groups,
  groups,
  ecdhparameters: (draft, command) => {
    if (!/^(?:auto|\+?automatic)$/i.test(command.value)) groups(draft, command);
  },
  signaturealgorithms: (draft, command) => {
    draft.signatureAlgorithms = judged(command);
  },
  dhparameters: (draft, command, files) => {
    const { value, place } = command;
    const called = call({ ...command, value: files.name(value) });
    draft.dhparam = { value: files.dhparam(value, called, called, place), call: called, place };
  },
  options: (draft, command) => {
    if (!setOptions(draft.options, command.value)) throw badValue(command);
  },
  protocol: protocols,
  minprotocol: (draft, command) => {
    draft.oldest = version(command);
  },
  maxprotocol: (draft, command) => {
    draft.newest = version(command);
  },
  certificate: (draft, { value, place }, files) => {
    draft.pairs.certificate(files.chain(value, place));
  },
  privatekey: (draft, command, files, passwords) => {
    const { value, place } = command;
    const called = call({ ...command, value: files.name(value) });
    draft.pairs.key(files.key(value, passwords, place), called, place);
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

/** @throws ConfigError in nginx's words */
export function apply(
  draft: Draft,
  command: ConfCommand,
  files: TlsFiles,
  passwords: readonly string[],
): void {
  const row = find(command.name);
  if (row === undefined) {
    const unknown = `error:0A000182:SSL routines::unknown cmd name:cmd=${command.name}`;
    throw failed(call(command), unknown, command.place);
  }
  row?.(draft, command, files, passwords);
}

/** Whether certificates or keys are among what they set. */
export function changesPairs(commands: readonly ConfCommand[]): boolean {
  return commands.some(({ name }) => /^(?:certificate|privatekey)$/i.test(name));
}

/** What of a command has no effect: said when it is read. */
export function inexpressible({ name, value }: ConfCommand): string | null {
  if (find(name) === null) return `has no effect for ${name}: Node has no way to set it`;
  const fixed = name.toLowerCase() === "options" ? fixedOptions(value) : [];
  return fixed.length === 0
    ? null
    : `has no effect for ${fixed.join(", ")} in ${name}: Node has no way to change it`;
}

function find(name: string): Apply | null | undefined {
  const known = name.toLowerCase();
  return Object.hasOwn(COMMANDS, known) ? COMMANDS[known] : undefined;
}

function groups(draft: Draft, command: ConfCommand): void {
  draft.groups = judged(command);
}

/** `ALL,-TLSv1.2` */
function protocols(draft: Draft, command: ConfCommand): void {
  for (const { name, on } of wishes(command.value)) {
    const named = TLS_VERSIONS.filter((known) => name === "all" || known.toLowerCase() === name);
    if (named.length === 0 && !["sslv2", "sslv3"].includes(name)) throw badValue(command);
    for (const known of named) {
      if (on) draft.options.delete(NO_VERSION[known]);
      else draft.options.add(NO_VERSION[known]);
    }
  }
}

/** @returns null for no bound, or one below what there is */
function version(command: ConfCommand): TlsVersion | null {
  const { value } = command;
  const known = TLS_VERSIONS.find((name) => name === value);
  if (known === undefined && value !== "None" && value !== "SSLv3") throw badValue(command);
  return known ?? null;
}

function judged(command: ConfCommand): Judged {
  return { value: command.value, call: call(command), place: command.place };
}

function call({ name, value }: ConfCommand): string {
  return `SSL_CONF_cmd("${name}", "${value}")`;
}

function badValue(command: ConfCommand): ConfigError {
  const { name, value, place } = command;
  const why = `error:0A000180:SSL routines::bad value:cmd=${name}, value=${value}`;
  return failed(call(command), why, place);
}
