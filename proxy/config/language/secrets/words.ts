/** Finds the secrets among the words of directives, so that neither `-T` nor a message shows them. */
import type { ByteString } from "../../../../shared/lookup.ts";

const HIDDEN = "***";

/** The header's value is often the key of the lookup endpoint. */
const HEADER = "auth_http_header";

/**
 * Takes the words of one directive in turn. A header counts wherever its name stands, since the `;` before it may be
 * missing.
 */
export class SecretWords {
  #name: ByteString | null = null;
  /** Words behind the name. */
  #behind = 0;

  /** True where the next word is a secret, whatever it is. */
  get hidesNext(): boolean {
    return this.#name === HEADER && this.#behind > 0;
  }

  /**
   * @param word as nginx reads it
   * @param raw as the file has it, with quotes and escapes
   * @returns the raw word with `***` in place of its secret
   */
  take(word: ByteString, raw: ByteString): ByteString {
    if (this.hidesNext) return HIDDEN;
    if (this.#name === null || (word === HEADER && this.#name !== HEADER)) this.#name = word;
    else this.#behind = this.#name === HEADER ? this.#behind + 1 : 0;
    if (this.#name === HEADER && this.#behind === 1) return raw.replace(GLUED, `$1${HIDDEN}`);
    return hiddenIn(raw, this.#name === "env" ? ENV : PARTS);
  }
}

/** A header's name, and behind it the quoted value that has lost the blank before it. */
const GLUED = /^([^"']+)["'].*/s;

/**
 * The secret inside a word: the password of a URL, a key in place of its file, the PIN of a PKCS #11 token. No escape of
 * the language stands for a character that these look for.
 */
const PARTS = [
  /(:\/\/[^:]*:).*(?=@)/s,
  /(\bdata:).*PRIVATE KEY.*/s,
  /(\bpin-value=)[^;&?]*/g,
] as const;

const ENV = [/(=).*/s] as const;

/** Hides what follows the group of each pattern, but no quote at the end. */
function hiddenIn(raw: ByteString, patterns: readonly RegExp[]): ByteString {
  const quote = /^(["']).*\1$/s.exec(raw)?.[1] ?? "";
  const body = raw.slice(0, raw.length - quote.length);
  return patterns.reduce((text, pattern) => text.replace(pattern, `$1${HIDDEN}`), body) + quote;
}

/** Hides the secrets in text that may not follow the language, such as a comment. */
export function proseWithoutSecrets(text: ByteString): ByteString {
  return text.replace(HEADER_IN_PROSE, `$1${HIDDEN}`).replace(URL_IN_PROSE, `$1${HIDDEN}`);
}

const HEADER_IN_PROSE = /(auth_http_header["']?\s+\S+\s+)(?!\s|\*\*\*).*/s;

/** No URL contains a blank. */
const URL_IN_PROSE = /(:\/\/[^\s:]*:)\S*(?=@)/g;

/** The words of a directive as a message may show them. A mistake may have parted a URL. */
export function shownWords(words: readonly ByteString[]): readonly ByteString[] {
  const secrets = new SecretWords();
  return words.map((word) => secrets.take(word, word).replace(NO_PORT, `$1${HIDDEN}`));
}

/** The text behind the second colon of a URL, unless it is a port. */
const NO_PORT = /(:\/\/(?:\[[^\]]*\]|[^:[])*:)(?!\*\*\*|\d{1,5}(?:\/|$)).*/s;

/**
 * Hides the secrets in a message about a directive.
 *
 * @param words of the directive, decoded; those with a secret are hidden wherever the message quotes them
 */
export function messageWithoutSecrets(message: string, words: readonly string[]): string {
  const shown = shownWords(words);
  let text = message;
  for (const [index, word] of words.entries()) {
    const told = shown[index];
    if (told !== undefined && told !== word) text = text.replaceAll(`"${word}"`, () => `"${told}"`);
  }
  return text.replace(URL_IN_PROSE, `$1${HIDDEN}`);
}
