/** What either side of TLS is made of: as its directives have it, then as commands change it. */
import type { Place } from "../language/error.ts";
import { type ConfCommand, type Draft, apply } from "./commands.ts";
import type { TlsFiles } from "../../certificates/files/tls-files.ts";
import { BIT } from "./options.ts";
import { NO_VERSION, TLS_VERSIONS, type TlsParameters, type TlsVersion } from "./settings.ts";

/** nginx sets these whatever the configuration says. */
const ALWAYS = [BIT.NO_RENEGOTIATION, BIT.NO_ANTI_REPLAY, BIT.IGNORE_UNEXPECTED_EOF];

/** @param protocols the versions to enable */
export function optionsFor(protocols: readonly string[]): Set<number> {
  const off = TLS_VERSIONS.filter((version) => !protocols.includes(version));
  return new Set<number>([...ALWAYS, ...off.map((version) => NO_VERSION[version])]);
}

/**
 * @param place of the commands
 * @throws ConfigError for a command that cannot be carried out
 */
export function settled(
  draft: Draft,
  commands: readonly ConfCommand[],
  files: TlsFiles,
  passwords: readonly string[],
  place: Place,
): TlsParameters {
  for (const command of commands) apply(draft, command, files, passwords);
  const { pairs, oldest, newest, options, ...others } = draft;
  for (const version of beyond(oldest, newest)) options.add(NO_VERSION[version]);
  return { ...others, keyPairs: pairs.list(place), options: [...options] };
}

/** The versions that are older or newer than those. */
function beyond(oldest: TlsVersion | null, newest: TlsVersion | null): readonly TlsVersion[] {
  const first = oldest === null ? 0 : TLS_VERSIONS.indexOf(oldest);
  const last = newest === null ? TLS_VERSIONS.length : TLS_VERSIONS.indexOf(newest);
  return TLS_VERSIONS.filter((_, index) => index < first || index > last);
}
