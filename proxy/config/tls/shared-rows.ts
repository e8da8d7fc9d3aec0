/** What the directives of both sides of TLS have in common: rows, and readers of arguments. */
import { resolve } from "node:path";
import { MAIL, MANY, type Row, eachOf, once, setOf } from "../language/row.ts";
import { type Place, toPlace } from "../language/error.ts";
import { readFile } from "../language/files.ts";
import type { Directive } from "../language/directive.ts";
import { type Paths, text, words } from "../language/values.ts";
import { type ConfCommand, confCommand, inexpressible } from "./commands.ts";
import type { Judged } from "./openssl-errors.ts";

/** A file that is not read yet: relative to the main configuration file, or `data:` and its contents. */
export interface NamedFile {
  readonly name: string;
  readonly directive: string;
  readonly place: Place;
}

/** @returns null for an empty name, which takes back that of an outer block */
function namedFile(directive: Directive): NamedFile | null {
  const name = text(directive);
  return name === "" ? null : { name, directive: directive.name, place: toPlace(directive) };
}

export const file: Row<NamedFile | null> = {
  in: MAIL,
  args: 1,
  read: once(namedFile),
  default: null,
};

/** The pass phrases of a file, a line each, to be tried in turn on an encrypted key. */
function passPhrases(directive: Directive, paths: Paths): readonly string[] {
  return readFile(resolve(paths.configuration, text(directive)), directive)
    .toString()
    .split(/\r?\n/)
    .filter((line) => line !== "");
}

export const passwords: Row<readonly string[]> = {
  in: MAIL,
  args: 1,
  read: once(passPhrases),
  default: [],
};

/** The versions that nginx names, in its spelling; nginx ignores case. */
const PROTOCOLS = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

/** OpenSSL 3 does not support these. */
const UNSUPPORTED = new Set(["sslv2", "sslv3"]);

/** OpenSSL 3 allows these at security level 0 only. */
const INSECURE = new Set(["tlsv1", "tlsv1.1"]);

/** nginx's default. */
export const USUAL_PROTOCOLS: readonly string[] = ["TLSv1.2", "TLSv1.3"];

/** @param ciphers the directive that sets the security level */
export function protocols(ciphers: string): Row<readonly string[]> {
  return {
    in: MAIL,
    args: MANY,
    read: setOf(...PROTOCOLS),
    default: USUAL_PROTOCOLS,
    notice: (_protocols, directive) => protocolsNotice(words(directive), ciphers),
  };
}

function protocolsNotice(given: readonly string[], ciphers: string): string | null {
  const listed = (versions: ReadonlySet<string>): string =>
    given.filter((word) => versions.has(word.toLowerCase())).join(", ");
  const unsupported = listed(UNSUPPORTED);
  const insecure = listed(INSECURE);
  const notices = [
    ...(unsupported === ""
      ? []
      : [`cannot enable ${unsupported}: OpenSSL 3 does not support SSL 2 and 3`]),
    ...(insecure === ""
      ? []
      : [`enables ${insecure} only with "@SECLEVEL=0" in ${ciphers}: OpenSSL 3 requires it`]),
  ];
  return notices.length === 0 ? null : notices.join("; it ");
}

export function cipherList(value: string, place: Place): Judged {
  return { value, call: `SSL_CTX_set_cipher_list("${value}")`, place };
}

export function curveList(value: string, place: Place): Judged {
  return { value, call: `SSL_CTX_set1_curves_list("${value}")`, place };
}

export const ciphers: Row<Judged | null> = {
  in: MAIL,
  args: 1,
  read: once<Judged | null>((directive) => cipherList(text(directive), toPlace(directive))),
  default: null,
};

export const commands: Row<readonly ConfCommand[]> = {
  in: MAIL,
  args: 2,
  read: eachOf(confCommand),
  default: [],
  notice: (_commands, directive) => inexpressible(confCommand(directive)),
};
