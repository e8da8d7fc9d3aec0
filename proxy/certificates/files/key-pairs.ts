/** The certificates that a server shows: one for each type of key, as OpenSSL holds them. */
import type { KeyObject } from "node:crypto";
import type { Place } from "../../config/language/error.ts";
import { KEY_TYPE_MISMATCH, KEY_VALUES_MISMATCH, failed } from "../../config/tls/openssl-errors.ts";
import type { Chain, SecretKey } from "./tls-files.ts";

/** A certificate chain and its key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export class KeyPairs {
  readonly #pairs = new Map<string, { readonly chain: Chain; readonly key: KeyObject | null }>();

  /** @throws ConfigError for a key that is not the certificate's */
  add(chain: Chain, secret: SecretKey, place: Place): void {
    const call = `SSL_CTX_use_PrivateKey("${secret.name}")`;
    this.certificate(chain);
    if (typeOf(chain.leaf.publicKey) !== typeOf(secret.key)) {
      throw failed(call, KEY_TYPE_MISMATCH, place);
    }
    this.key(secret, call, place);
  }

  /** Takes the place of one with a key of the same type, whose key it keeps if that is its own. */
  certificate(chain: Chain): void {
    const type = typeOf(chain.leaf.publicKey);
    const key = this.#pairs.get(type)?.key ?? null;
    const own = key !== null && chain.leaf.checkPrivateKey(key);
    this.#pairs.set(type, { chain, key: own ? key : null });
  }

  /** Belongs to the certificate with a key of its type. @throws ConfigError where it does not */
  key({ key }: SecretKey, call: string, place: Place): void {
    const type = typeOf(key);
    const pair = this.#pairs.get(type);
    if (pair === undefined) throw failed(call, KEY_TYPE_MISMATCH, place);
    if (!pair.chain.leaf.checkPrivateKey(key)) throw failed(call, KEY_VALUES_MISMATCH, place);
    this.#pairs.set(type, { ...pair, key });
  }

  /**
   * The keys no longer encrypted.
   *
   * @param place of the commands that may have left a certificate without a key
   * @throws ConfigError where they have
   */
  list(place: Place): readonly KeyPair[] {
    return [...this.#pairs.values()].map(({ chain, key }) => {
      const call = `SSL_CONF_cmd("Certificate", "${chain.name}")`;
      if (key === null) throw failed(call, KEY_VALUES_MISMATCH, place);
      return {
        certificate: chain.certificates.join(""),
        key: key.export({ type: "pkcs8", format: "pem" }),
      };
    });
  }
}

function typeOf(key: KeyObject): string {
  return key.asymmetricKeyType ?? "";
}
