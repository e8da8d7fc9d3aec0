/** Files that directives of TLS name. `proxy/certificates/` reads them. */
import { resolve } from "node:path";
import { ConfigError, type Place } from "../language/error.ts";

export interface NamedFile {
  /** The absolute path, or `data:...` where the contents stand in the configuration: they may be a secret. */
  readonly name: string;
  /** Null where the file is to be read. */
  readonly contents: string | null;
  /** Place of the directive. */
  readonly place: Place;
}

/** A certificate chain and its key. */
export interface NamedPair {
  readonly certificate: NamedFile;
  readonly key: NamedFile;
}

const DATA = "data:";

/** The argument as messages show it. */
export function shownArgument(argument: string): string {
  return argument.startsWith(DATA) ? `${DATA}...` : argument;
}

/** @param directory of the main configuration file */
export function namedFile(argument: string, directory: string, place: Place): NamedFile {
  return argument.startsWith(DATA)
    ? { name: shownArgument(argument), contents: argument.slice(DATA.length), place }
    : { name: resolve(directory, argument), contents: null, place };
}

/** @throws ConfigError for the keys of OpenSSL's engines and stores, which Node cannot load */
export function namedKey(argument: string, directory: string, place: Place): NamedFile {
  const [, scheme] = /^(engine|store):/.exec(argument) ?? [];
  if (scheme === undefined) return namedFile(argument, directory, place);
  const why = `loading "${scheme}:..." certificate keys is not supported`;
  throw new ConfigError(`cannot load certificate key "${argument}": ${why}`, place);
}
