/**
 * Parses stored passwords as Dovecot writes them: `{NAME}text`, `{NAME.b64}text`, `{NAME.hex}text`, or without a
 * name if the text identifies its scheme, as crypt(3)'s do.
 */
import { MAX_STORED_LENGTH } from "./schemes/limits.ts";
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
 * Parses a stored password and checks its cost, without hashing.
 *
 * @param schemes the allowed schemes
 * @throws UnreadableHash if the scheme is not allowed, the text is malformed, or its cost is too high. The message may
 * name the scheme, and contains no other part of the text.
 */
export function readStored(stored: string, schemes: readonly PasswordScheme[]): StoredPassword {
  if (stored.length > MAX_STORED_LENGTH) throw new UnreadableHash("the stored text is too long");
  const given = split(stored);
  const scheme = find(given, schemes);
  if (scheme === undefined) throw new UnreadableHash(unsupportedReason(stored));
  const name = scheme.names[0];
  try {
    return { scheme: name, ...scheme.read(given) };
  } catch (error) {
    if (!(error instanceof UnreadableHash)) throw error;
    throw new UnreadableHash(`${name}: ${error.message}`, { cause: error });
  }
}

/** Returns the scheme of a stored password, or the reason why it would not be verified. */
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
 * True if the stored hash is weaker than a new one.
 *
 * @throws UnreadableHash
 */
export function needsRehash(stored: string): boolean {
  return readStored(stored, SCHEMES).current !== true;
}

interface NamedText extends StoredText {
  /** In upper case; empty if there is none. */
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
 * Finds the scheme of a text. As in Dovecot, a text in one of crypt(3)'s forms is recognized after `{CRYPT}` and after
 * any such scheme's name, and `{MD5}` is either MD5-CRYPT or a plain MD5.
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

/** Unsupported schemes that an import is likely to bring. */
const FOREIGN =
  /^(?:\{(?:CRAM-MD5|HMAC-MD5|DIGEST-MD5|PLAIN-MD4|PLAIN-TRUNC|OTP|NTLM|LANMAN)(?:\.\w+)?\}|\$(?:y|gy|7|sha1)\$)/i;

/** The names of schemes that a text identifies by its prefix. */
const PREFIX_NAMES: Readonly<Record<string, string>> = {
  $y$: "yescrypt ($y$)",
  $gy$: "gost-yescrypt ($gy$)",
  $7$: "scrypt ($7$)",
};

function unsupportedReason(stored: string): string {
  const weak = find(split(stored), SCHEMES)?.names[0];
  if (weak !== undefined) {
    return `${weak} is weak, and WEAK_PASSWORD_SCHEMES does not allow it`;
  }
  const [foreign] = FOREIGN.exec(stored) ?? [];
  return foreign === undefined
    ? "the stored text is of no known scheme"
    : `${PREFIX_NAMES[foreign] ?? foreign} is a scheme that we cannot verify`;
}
