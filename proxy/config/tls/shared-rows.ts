/** What the directives of both sides of TLS have in common: rows, and readers of arguments. */
import { resolve } from "node:path";
import { MAIL, MANY, type Row, eachOf, once, setOf } from "../language/row.ts";
import { type Place, at } from "../language/error.ts";
import { readFile } from "../language/files.ts";
import type { Directive } from "../language/directive.ts";
import { type Paths, text } from "../language/values.ts";
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
  return name === "" ? null : { name, directive: directive.name, place: at(directive) };
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

/** The versions that nginx names. */
const PROTOCOLS = ["sslv2", "sslv3", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"] as const;

/** Those that OpenSSL 3 has left out, and those that it grants at its lowest security level only. */
const GONE: readonly string[] = ["sslv2", "sslv3"];
const FROWNED_UPON: readonly string[] = ["tlsv1", "tlsv1.1"];

/** nginx's own choice. */
export const USUAL_PROTOCOLS: readonly string[] = ["tlsv1.2", "tlsv1.3"];

/** @param ciphers the directive that has the security level */
export function protocols(ciphers: string): Row<readonly string[]> {
  return {
    in: MAIL,
    args: MANY,
    read: setOf(...PROTOCOLS),
    default: USUAL_PROTOCOLS,
    instead: (asked) => protocolsInstead(asked, ciphers),
  };
}

function protocolsInstead(asked: readonly string[], ciphers: string): string | null {
  const told = (names: readonly string[], why: string): readonly string[] => {
    const here = asked.filter((name) => names.includes(name));
    return here.length === 0 ? [] : [`does not bring back ${here.join(", ")}: OpenSSL 3 ${why}`];
  };
  const said = [
    ...told(GONE, "has none of them"),
    ...told(FROWNED_UPON, `grants them with @SECLEVEL=0 in ${ciphers} only`),
  ];
  return said.length === 0 ? null : said.join("; it ");
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
  read: once<Judged | null>((directive) => cipherList(text(directive), at(directive))),
  default: null,
};

export const commands: Row<readonly ConfCommand[]> = {
  in: MAIL,
  args: 2,
  read: eachOf(confCommand),
  default: [],
  instead: (_commands, directive) => inexpressible(confCommand(directive)),
};
