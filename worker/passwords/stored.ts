/**
 * A stored password as Dovecot writes it: `{NAME}text`, `{NAME.b64}text`, `{NAME.hex}text`, or without
 * a name where the text shows by itself what it is, as crypt(3)'s do.
 */
import { STORED_LENGTH } from "./schemes/limits.ts";
import { textOf } from "./schemes/encoding.ts";
import {
  type Encoding,
  type PasswordHash,
  type PasswordScheme,
  type StoredText,
  UnreadableHash,
} from "./schemes/scheme.ts";
import { SCHEMES } from "./schemes/index.ts";

export interface StoredPassword extends PasswordHash {
  /** The scheme's first name. */
  readonly scheme: string;
}

/**
 * Reads a stored password and finds its cost bearable, without doing the work.
 *
 * @param schemes those that are allowed
 * @throws UnreadableHash if it is of none of them, broken, or too costly; its message may name the
 * scheme, and holds nothing else of the text
 */
export function readStored(stored: string, schemes: readonly PasswordScheme[]): StoredPassword {
  if (stored.length > STORED_LENGTH) throw new UnreadableHash("the stored text is too long");
  const given = split(stored);
  const scheme = find(given, schemes);
  if (scheme === undefined) throw new UnreadableHash(whyNone(stored));
  const name = scheme.names[0];
  try {
    return { scheme: name, ...scheme.read(given) };
  } catch (error) {
    if (!(error instanceof UnreadableHash)) throw error;
    throw new UnreadableHash(`${name}: ${error.message}`, { cause: error });
  }
}

/** What an import wants to know of a stored password: its scheme, or why we would not verify it. */
export function checkStored(
  stored: string,
  schemes: readonly PasswordScheme[],
): { readonly scheme: string } | { readonly refused: string } {
  try {
    return { scheme: readStored(stored, schemes).scheme };
  } catch (error) {
    if (error instanceof UnreadableHash) return { refused: error.message };
    throw error;
  }
}

/**
 * Whether a password that has just proved right had better be hashed anew, since what is stored is no
 * argon2id of today's cost.
 *
 * @throws UnreadableHash
 */
export function needsRehash(stored: string): boolean {
  return readStored(stored, SCHEMES).current !== true;
}

interface NamedText extends StoredText {
  /** In upper case; empty where there is none. */
  readonly name: string;
}

const PREFIXED = /^\{([\w-]+)(?:\.(b64|base64|hex))?\}(.*)$/is;

function split(stored: string): NamedText {
  const [, name = "", encoding, text = stored] = PREFIXED.exec(stored) ?? [];
  return { name: name.toUpperCase(), encoding: encodingOf(encoding), text };
}

function encodingOf(suffix: string | undefined): Encoding | null {
  if (suffix === undefined) return null;
  return suffix.toLowerCase() === "hex" ? "hex" : "b64";
}

/**
 * To Dovecot `{CRYPT}`, `{SHA512-CRYPT}` and their like are all one, since what follows says by itself
 * what it is; and `{MD5}` is either MD5-CRYPT or a plain MD5.
 */
function find(given: NamedText, schemes: readonly PasswordScheme[]): PasswordScheme | undefined {
  const named = schemes.filter(({ names }) => names.includes(given.name));
  const hasForm =
    given.name === "" || given.name === "CRYPT" || named.some(({ form }) => form !== undefined);
  const formed = hasForm
    ? schemes.find(({ form }) => form?.test(textOf(given)) === true)
    : undefined;
  return formed ?? named.find(({ form }) => form === undefined);
}

/** Of other people's schemes, those that an import is likely to bring. */
const FOREIGN =
  /^(?:\{(?:CRAM-MD5|HMAC-MD5|DIGEST-MD5|PLAIN-MD4|PLAIN-TRUNC|OTP|NTLM|LANMAN)(?:\.\w+)?\}|\$(?:y|gy|7|sha1)\$)/i;

/** Those that a text names by a sign. */
const SIGNS: Readonly<Record<string, string>> = {
  $y$: "yescrypt ($y$)",
  $gy$: "gost-yescrypt ($gy$)",
  $7$: "scrypt ($7$)",
};

function whyNone(stored: string): string {
  const weak = find(split(stored), SCHEMES)?.names[0];
  if (weak !== undefined) {
    return `${weak} is weak, and WEAK_PASSWORD_SCHEMES does not allow it`;
  }
  const [foreign] = FOREIGN.exec(stored) ?? [];
  return foreign === undefined
    ? "the stored text is of no known scheme"
    : `${SIGNS[foreign] ?? foreign} is a scheme that we cannot verify`;
}
