/** Rows that the directives of both sides of TLS share. */
import { resolve } from "node:path";
import type { Directive } from "../language/directive.ts";
import { type Place, toPlace } from "../language/error.ts";
import { readFile } from "../language/files.ts";
import { MAIL, MANY, type Row, eachOf, once, setOf } from "../language/row.ts";
import { type Paths, text, words } from "../language/values.ts";
import { type ConfCommand, confCommand, unsupportedPart } from "./commands.ts";
import type { OpensslValue } from "./openssl-value.ts";

/** A file name as a directive has it. */
export interface FileArgument {
  readonly argument: string;
  readonly directive: string;
  readonly place: Place;
}

/** @returns null for an empty name, which cancels that of an outer block */
function fileArgument(directive: Directive): FileArgument | null {
  const argument = text(directive);
  return argument === ""
    ? null
    : { argument, directive: directive.name, place: toPlace(directive) };
}

export const file: Row<FileArgument | null> = {
  in: MAIL,
  args: 1,
  read: once(fileArgument),
  default: null,
};

/** Pass phrases, one a line. Each is tried on an encrypted key. nginx reads the file with the directive, too. */
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

export function cipherList(value: string, place: Place): OpensslValue {
  return { value, call: `SSL_CTX_set_cipher_list("${value}")`, place };
}

export function curveList(value: string, place: Place): OpensslValue {
  return { value, call: `SSL_CTX_set1_curves_list("${value}")`, place };
}

export const ciphers: Row<OpensslValue | null> = {
  in: MAIL,
  args: 1,
  read: once<OpensslValue | null>((directive) => cipherList(text(directive), toPlace(directive))),
  default: null,
};

export const commands: Row<readonly ConfCommand[]> = {
  in: MAIL,
  args: 2,
  read: eachOf(confCommand),
  default: [],
  notice: (_commands, directive) => unsupportedPart(confCommand(directive)),
};
