/** The options of either side of TLS: those of the directives, then those that commands change. */
import type { Place } from "../language/error.ts";
import { type CommandTarget, type ConfCommand, apply } from "./commands.ts";
import { BIT } from "./option-bits.ts";
import type { TlsOptions } from "./settings.ts";
import { NO_VERSION, TLS_VERSIONS, type TlsVersion } from "./versions.ts";

/** nginx sets these bits in every configuration. */
const ALWAYS = [BIT.NO_RENEGOTIATION, BIT.NO_ANTI_REPLAY, BIT.IGNORE_UNEXPECTED_EOF];

/** @param protocols the versions to enable */
export function bitsFor(protocols: readonly string[]): Set<number> {
  const off = TLS_VERSIONS.filter((version) => !protocols.includes(version));
  return new Set<number>([...ALWAYS, ...off.map((version) => NO_VERSION[version])]);
}

/**
 * @param options of the other directives
 * @param directory of the main configuration file
 * @param place of the commands
 * @throws ConfigError for a command that OpenSSL would refuse
 */
export function applyCommands(
  options: Pick<TlsOptions, "ciphers" | "groups" | "dhparam"> & { readonly bits: Set<number> },
  commands: readonly ConfCommand[],
  directory: string,
  place: Place,
): TlsOptions {
  const target: CommandTarget = {
    ...options,
    ciphersuites: null,
    signatureAlgorithms: null,
    oldest: null,
    newest: null,
    pairCommands: [],
  };
  for (const command of commands) apply(target, command, directory);
  const { oldest, newest, bits, pairCommands, ...others } = target;
  for (const version of outside(oldest, newest)) bits.add(NO_VERSION[version]);
  return { ...others, bits: [...bits], pairCommands: { list: pairCommands, place } };
}

/** The versions that are older or newer than those. */
function outside(oldest: TlsVersion | null, newest: TlsVersion | null): readonly TlsVersion[] {
  const first = oldest === null ? 0 : TLS_VERSIONS.indexOf(oldest);
  const last = newest === null ? TLS_VERSIONS.length : TLS_VERSIONS.indexOf(newest);
  return TLS_VERSIONS.filter((_, index) => index < first || index > last);
}
