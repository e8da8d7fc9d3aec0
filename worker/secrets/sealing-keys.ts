/** Encrypts secrets with AES-256-GCM under one of several keys, so that keys can be rotated. */

/** The user and the use of a secret. A secret that was sealed for one purpose does not open for another. */
export interface SecretPurpose {
  readonly user: string;
  readonly purpose: "own" | "upstream";
}

/** Bytes: NIST SP 800-38D section 5.2.1.1. The IV is random, since one key seals far fewer than 2^32 secrets. */
const IV_BYTES = 12;

const DUMMY: SecretPurpose = { user: "", purpose: "own" };

export class SealingKeys {
  readonly #keys: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Sealed at the first use, since Workers give no random bytes while a module loads. */
  #dummy: string | undefined;

  /** @param keys keys of 32 bytes, by their ids. The first one seals, all of them open. */
  constructor(keys: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
    this.#keys = keys;
  }

  /** @returns `ID:BASE64`, for the directory */
  async seal(secret: string, purpose: SecretPurpose): Promise<string> {
    const [id] = this.#keys.keys();
    if (id === undefined) throw new Error("there is no key to seal with");
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const plain = new TextEncoder().encode(secret);
    const key = await this.#key(id);
    const sealed = await crypto.subtle.encrypt(algorithm(iv, purpose), key, plain);
    return `${id}:${btoa(String.fromCharCode(...iv, ...new Uint8Array(sealed)))}`;
  }

  /** @throws Error if the key is missing or the purpose differs; the message contains no part of the secret */
  async open(sealed: string, purpose: SecretPurpose): Promise<string> {
    const [id = "", text = ""] = sealed.split(":");
    const key = await this.#key(id);
    try {
      // `atob` ignores the padding bits of the last letter, so the text is compared.
      if (btoa(atob(text)) !== text) throw new Error("not as it was sealed");
      const bytes = bytesOf(text);
      const iv = bytes.subarray(0, IV_BYTES);
      const rest = bytes.subarray(IV_BYTES);
      const plain = await crypto.subtle.decrypt(algorithm(iv, purpose), key, rest);
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain);
    } catch (error) {
      throw new Error(`the ${purpose.purpose} secret of ${purpose.user} is broken`, {
        cause: error,
      });
    }
  }

  /** Opens a sealed random text, which costs as much as `open`. @returns the text */
  async openDummy(): Promise<string> {
    // A failure to seal is told to this caller, and the next one tries again.
    this.#dummy ??= await this.seal(crypto.randomUUID(), DUMMY);
    return this.open(this.#dummy, DUMMY);
  }

  async #key(id: string): Promise<CryptoKey> {
    const bytes = this.#keys.get(id);
    if (bytes === undefined) throw new Error(`SECRET_KEYS has no key named ${id}`);
    return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  }
}

/** Binds a secret to its user, so that a copy of the row in another user's does not open. */
function algorithm(iv: Uint8Array<ArrayBuffer>, { user, purpose }: SecretPurpose) {
  const additionalData = new TextEncoder().encode(`${purpose} ${user}`);
  return { name: "AES-GCM", iv, additionalData };
}

/** @throws DOMException if the text is not base64 */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0));
}

const KEY = /^([\w.-]{1,32}):([A-Za-z0-9+/]{43}=)$/;

/**
 * Reads `SECRET_KEYS`: `ID:BASE64,ID:BASE64`, with 32 bytes in each key.
 *
 * @returns null if there is no key
 * @throws Error if a key is malformed; the message contains no key
 */
export function readKeys(setting: string): SealingKeys | null {
  const texts = setting.split(/[\s,]+/).filter((text) => text !== "");
  if (texts.length === 0) return null;
  const keys = texts.map((text) => {
    const [, id, key] = KEY.exec(text) ?? [];
    if (id === undefined || key === undefined)
      throw new Error("SECRET_KEYS is not ID:BASE64,… with 32 bytes each");
    return [id, bytesOf(key)] as const;
  });
  return new SealingKeys(new Map(keys));
}
