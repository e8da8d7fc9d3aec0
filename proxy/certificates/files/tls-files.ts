/** The files that directives of TLS name: read when the configuration is, so that a mistake shows at `-t`. */
import { type KeyObject, X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { reason } from "../../reason.ts";
import { ConfigError, type Place } from "../../config/language/error.ts";
import { type Judged, failed, noStartLine, openFailure } from "../../config/tls/openssl-errors.ts";
import { blocks } from "./pem.ts";

/** A certificate, and the chain that follows it. */
export interface Chain {
  readonly name: string;
  readonly leaf: X509Certificate;
  /** All of them, PEM. */
  readonly certificates: readonly string[];
}

export interface SecretKey {
  readonly name: string;
  readonly key: KeyObject;
  /** No longer encrypted. */
  readonly pem: string;
}

const DATA = "data:";

/** A file as the directive names it. What stands in the configuration itself may be a secret, and is not shown. */
export function shownFile(given: string): string {
  return given.startsWith(DATA) ? `${DATA}...` : given;
}

/** Loads each file once, however many servers name it. */
export class TlsFiles {
  readonly directory: string;
  readonly #texts = new Map<string, string>();
  readonly #chains = new Map<string, Chain>();
  readonly #keys = new Map<string, SecretKey>();

  /** @param directory of the main configuration file */
  constructor(directory: string) {
    this.directory = directory;
  }

  /** The full path, for messages. */
  name(given: string): string {
    return given.startsWith(DATA) ? shownFile(given) : resolve(this.directory, given);
  }

  /** The full path; null where the configuration holds the contents. */
  path(given: string): string | null {
    return given.startsWith(DATA) ? null : this.name(given);
  }

  /** @throws ConfigError */
  chain(given: string, place: Place): Chain {
    return this.#chains.getOrInsertComputed(given, () => this.#loadChain(given, place));
  }

  /** @throws ConfigError */
  key(given: string, passwords: readonly string[], place: Place): SecretKey {
    const which = [given, ...passwords].join("\0");
    return this.#keys.getOrInsertComputed(which, () => this.#loadKey(given, passwords, place));
  }

  /** Revocation lists, PEM, one each. Whether they are whole only OpenSSL can tell. @throws ConfigError */
  revocations(given: string, place: Place): Judged<readonly string[]> {
    const what = `cannot load CRL "${this.name(given)}":`;
    const text = this.#read(given, `${what} BIO_new_file()`, place);
    const call = `${what} PEM_read_bio_X509_CRL()`;
    return { value: found(text, "X509 CRL", call, place), call, place };
  }

  /**
   * DH parameters, PEM. Whether they are good only OpenSSL can tell.
   *
   * @param open nginx's name for the call that opens the file
   * @param read and for the one that reads it
   * @throws ConfigError
   */
  dhparam(given: string, open: string, read: string, place: Place): string {
    const text = this.#read(given, open, place);
    return found(text, "DH PARAMETERS", read, place).join("");
  }

  #loadChain(given: string, place: Place): Chain {
    const name = this.name(given);
    const text = this.#read(given, `cannot load certificate "${name}": BIO_new_file()`, place);
    return chainIn(text, name, place);
  }

  #loadKey(given: string, passwords: readonly string[], place: Place): SecretKey {
    const [, elsewhere] = /^(engine|store):/.exec(given) ?? [];
    if (elsewhere !== undefined) {
      const why = `loading "${elsewhere}:..." certificate keys is not supported`;
      throw new ConfigError(`cannot load certificate key "${given}": ${why}`, place);
    }
    const name = this.name(given);
    const text = this.#read(given, `cannot load certificate key "${name}": BIO_new_file()`, place);
    return keyIn(text, name, passwords, place);
  }

  /** @param call nginx's name for what opens the file */
  #read(given: string, call: string, place: Place): string {
    if (given.startsWith(DATA)) return given.slice(DATA.length);
    const path = this.name(given);
    try {
      return this.#texts.getOrInsertComputed(path, () => readFileSync(path, "latin1"));
    } catch (error) {
      throw failed(call, openFailure(path, error), place);
    }
  }
}

/**
 * @param name of the file that holds the text
 * @param authorities certificates that are known to be whole, and then those of this chain, too
 * @throws ConfigError
 */
export function chainIn(
  text: string,
  name: string,
  place: Place,
  authorities = new Set<string>(),
): Chain {
  const what = `cannot load certificate "${name}":`;
  const certificates = blocks(text, "CERTIFICATE");
  const [first = text, ...others] = certificates;
  const leaf = orFail(() => new X509Certificate(first), `${what} PEM_read_bio_X509_AUX()`, place);
  for (const other of others) {
    if (authorities.has(other)) continue;
    orFail(() => new X509Certificate(other), `${what} PEM_read_bio_X509()`, place);
    authorities.add(other);
  }
  return { name, leaf, certificates };
}

/** @param name likewise. @throws ConfigError */
export function keyIn(
  text: string,
  name: string,
  passwords: readonly string[],
  place: Place,
): SecretKey {
  const call = `cannot load certificate key "${name}": PEM_read_bio_PrivateKey()`;
  const [pem = text] = blocks(text, "PRIVATE KEY");
  return orFail(
    () => {
      if (!pem.includes("ENCRYPTED")) return { name, key: createPrivateKey(pem), pem };
      const key = decrypted(pem, passwords);
      return { name, key, pem: key.export({ type: "pkcs8", format: "pem" }) };
    },
    call,
    place,
  );
}

/** Tries each pass phrase in turn, as nginx does; without one it would ask a terminal. */
function decrypted(pem: string, passwords: readonly string[]): KeyObject {
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

/** The blocks with that label; at least one. */
function found(text: string, label: string, call: string, place: Place): readonly string[] {
  const all = blocks(text, label);
  if (all.length === 0) throw failed(call, noStartLine(label), place);
  return all;
}

function orFail<Result>(work: () => Result, call: string, place: Place): Result {
  try {
    return work();
  } catch (error) {
    throw failed(call, reason(error), place);
  }
}
