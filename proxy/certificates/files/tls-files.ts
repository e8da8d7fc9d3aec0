/** Reads the files of TLS. Errors are ConfigErrors with nginx's text, so that `-t` reports them. */
import { type KeyObject, X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { type DhparamFile, type NamedFile, type Place, opensslError } from "../../config/index.ts";
import { reason } from "../../reason.ts";
import { noStartLine, openFailure } from "./openssl-errors.ts";
import { blocks } from "./pem.ts";

/** A certificate, and the certificates that follow it. */
export interface CertificateChain {
  /** File, for messages. */
  readonly name: string;
  readonly leaf: X509Certificate;
  /** All certificates, PEM. */
  readonly certificates: readonly string[];
}

export interface PrivateKey {
  /** File, for messages. */
  readonly name: string;
  readonly key: KeyObject;
  /** Decrypted. */
  readonly pem: string;
}

/** Loads each file once, however many servers name it. */
export class TlsFiles {
  readonly #texts = new Map<string, string>();
  readonly #chains = new Map<string, CertificateChain>();
  readonly #keys = new Map<string, PrivateKey>();

  /** @throws ConfigError */
  chain(file: NamedFile): CertificateChain {
    return this.#chains.getOrInsertComputed(idOf(file), () => {
      const { name, place } = file;
      const text = this.#read(file, `cannot load certificate "${name}": BIO_new_file()`);
      return parseChain(text, name, place);
    });
  }

  /** @throws ConfigError */
  key(file: NamedFile, passwords: readonly string[]): PrivateKey {
    return this.#keys.getOrInsertComputed([idOf(file), ...passwords].join("\0"), () => {
      const { name, place } = file;
      const text = this.#read(file, `cannot load certificate key "${name}": BIO_new_file()`);
      return parseKey(text, name, passwords, place);
    });
  }

  /**
   * Revocation lists, PEM, one each. Only OpenSSL can check them.
   *
   * @throws ConfigError
   */
  revocations(file: NamedFile): readonly string[] {
    const text = this.#read(file, `cannot load CRL "${file.name}": BIO_new_file()`);
    return foundBlocks(text, "X509 CRL", crlCall(file), file.place);
  }

  /**
   * DH parameters, PEM. Only OpenSSL can check them.
   *
   * @throws ConfigError
   */
  dhparam({ file, open, read }: DhparamFile): string {
    return foundBlocks(this.#read(file, open), "DH PARAMETERS", read, file.place).join("");
  }

  /** @param call nginx's name for the call that opens the file */
  #read({ name, contents, place }: NamedFile, call: string): string {
    if (contents !== null) return contents;
    try {
      return this.#texts.getOrInsertComputed(name, () => readFileSync(name, "latin1"));
    } catch (error) {
      throw opensslError(call, openFailure(name, error), place);
    }
  }
}

/** nginx's name for the call that parses revocation lists. */
export function crlCall({ name }: NamedFile): string {
  return `cannot load CRL "${name}": PEM_read_bio_X509_CRL()`;
}

function idOf({ name, contents }: NamedFile): string {
  return contents === null ? name : `data:${contents}`;
}

/**
 * @param name of the file, for messages
 * @param checked issuers' certificates that have been parsed before; those of this chain are added
 * @throws ConfigError
 */
export function parseChain(
  text: string,
  name: string,
  place: Place,
  checked = new Set<string>(),
): CertificateChain {
  const what = `cannot load certificate "${name}":`;
  const certificates = blocks(text, "CERTIFICATE");
  const [first = text, ...others] = certificates;
  const leaf = orRefuse(() => new X509Certificate(first), `${what} PEM_read_bio_X509_AUX()`, place);
  for (const other of others) {
    if (checked.has(other)) continue;
    orRefuse(() => new X509Certificate(other), `${what} PEM_read_bio_X509()`, place);
    checked.add(other);
  }
  return { name, leaf, certificates };
}

/**
 * @param name of the file, for messages
 * @throws ConfigError
 */
export function parseKey(
  text: string,
  name: string,
  passwords: readonly string[],
  place: Place,
): PrivateKey {
  const call = `cannot load certificate key "${name}": PEM_read_bio_PrivateKey()`;
  const [pem = text] = blocks(text, "PRIVATE KEY");
  return orRefuse(
    () => {
      if (!pem.includes("ENCRYPTED")) return { name, key: createPrivateKey(pem), pem };
      const key = decrypt(pem, passwords);
      return { name, key, pem: key.export({ type: "pkcs8", format: "pem" }) };
    },
    call,
    place,
  );
}

/** Tries each pass phrase in turn, as nginx does. nginx would ask a terminal if there is none. */
function decrypt(pem: string, passwords: readonly string[]): KeyObject {
  let failure: unknown = new Error("it is encrypted, and no pass phrase opens it");
  for (const passphrase of passwords) {
    try {
      return createPrivateKey({ key: pem, passphrase });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** @throws ConfigError where there is no block with that label */
function foundBlocks(text: string, label: string, call: string, place: Place): readonly string[] {
  const all = blocks(text, label);
  if (all.length === 0) throw opensslError(call, noStartLine(label), place);
  return all;
}

function orRefuse<Result>(work: () => Result, call: string, place: Place): Result {
  try {
    return work();
  } catch (error) {
    throw opensslError(call, reason(error), place);
  }
}
