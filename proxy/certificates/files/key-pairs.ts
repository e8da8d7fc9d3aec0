/** The certificates of a context: one for each type of key, as OpenSSL holds them. */
import type { KeyObject } from "node:crypto";
import { type Place, opensslError } from "../../config/index.ts";
import type { KeyPair } from "../../transport/index.ts";
import { KEY_TYPE_MISMATCH, KEY_VALUES_MISMATCH } from "./openssl-errors.ts";
import type { CertificateChain, PrivateKey } from "./tls-files.ts";

interface Pair {
  readonly chain: CertificateChain;
  readonly key: KeyObject | null;
}

export class KeyPairs {
  readonly #pairs = new Map<string, Pair>();

  /** @throws ConfigError where the key does not belong to the certificate */
  add(chain: CertificateChain, key: PrivateKey, place: Place): void {
    const call = `SSL_CTX_use_PrivateKey("${key.name}")`;
    this.certificate(chain);
    if (typeOf(chain.leaf.publicKey) !== typeOf(key.key)) {
      throw opensslError(call, KEY_TYPE_MISMATCH, place);
    }
    this.key(key, call, place);
  }

  /** Replaces the certificate with a key of the same type. The key stays if it belongs to the new certificate. */
  certificate(chain: CertificateChain): void {
    const type = typeOf(chain.leaf.publicKey);
    const key = this.#pairs.get(type)?.key ?? null;
    const fits = key !== null && chain.leaf.checkPrivateKey(key);
    this.#pairs.set(type, { chain, key: fits ? key : null });
  }

  /** @throws ConfigError where no certificate with that type of key is there, or the key does not belong to it */
  key({ key }: PrivateKey, call: string, place: Place): void {
    const type = typeOf(key);
    const pair = this.#pairs.get(type);
    if (pair === undefined) throw opensslError(call, KEY_TYPE_MISMATCH, place);
    if (!pair.chain.leaf.checkPrivateKey(key)) {
      throw opensslError(call, KEY_VALUES_MISMATCH, place);
    }
    this.#pairs.set(type, { ...pair, key });
  }

  /**
   * The pairs, with decrypted keys.
   *
   * @param place of the commands, which may have left a certificate without a key
   * @throws ConfigError for a certificate without a key
   */
  list(place: Place): readonly KeyPair[] {
    return [...this.#pairs.values()].map(({ chain, key }) => {
      const call = `SSL_CONF_cmd("Certificate", "${chain.name}")`;
      if (key === null) throw opensslError(call, KEY_VALUES_MISMATCH, place);
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
