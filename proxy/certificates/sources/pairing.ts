/** Finds the key of each certificate in a folder by trying, since the names of files say little. */
import { type KeyObject, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { parse } from "node:path";
import { ConfigError, type Place, openFailed } from "../../config/index.ts";
import { reason } from "../../reason.ts";
import type { Steps } from "../../slices.ts";
import { type ServerCertificate, serverCertificate } from "../files/certificate.ts";
import { KEY_VALUES_MISMATCH } from "../files/openssl-errors.ts";
import { blocks } from "../files/pem.ts";
import {
  type CertificateChain,
  type PrivateKey,
  parseChain,
  parseKey,
} from "../files/tls-files.ts";

/** A certificate in use, and the state of its files. */
interface Pair {
  readonly certificate: ServerCertificate;
  readonly stamp: string;
  readonly keyFile: string;
  readonly keyStamp: string;
}

/** By the paths of the certificates. */
export type Pairs = ReadonlyMap<string, Pair>;

export interface PairingOptions {
  readonly passwords: readonly string[];
  /** Place of the directive. */
  readonly place: Place;
  /** Issuers' certificates that have been parsed. Most chains end in the same ones. */
  readonly checked: Set<string>;
}

/** Follows the reason why the new contents of a file cannot be used. */
export const OLD_STAYS = "the old certificate stays in use";

/** A file with certificates. */
interface Candidate {
  readonly file: string;
  readonly text: string;
  readonly certificates: readonly string[];
}

export class Pairing {
  readonly #stamps: ReadonlyMap<string, string>;
  readonly #before: Pairs;
  readonly #options: PairingOptions;
  /** The pairs of `#before` whose files are unchanged. */
  readonly #kept: Pairs;
  readonly #texts = new Map<string, string>();
  readonly #keys = new Map<string, PrivateKey | null>();
  /** Files with keys, by name without the extension. */
  #keyFiles: ReadonlyMap<string, readonly string[]> = new Map();
  /** The same files by public key, once one has been looked up by its key. */
  #byPublicKey: Map<string, string> | null = null;
  readonly #pairs = new Map<string, Pair>();
  /** The certificates of the chains that have been handled, and the purposes of the pairs. */
  readonly #seen = new Set<string>();
  /** Reasons why files cannot be used. */
  readonly errors: string[] = [];

  /**
   * @param stamps states of the files, by path
   * @param before the last pairs; a pair stays if its files cannot be used now
   */
  constructor(stamps: ReadonlyMap<string, string>, before: Pairs, options: PairingOptions) {
    this.#stamps = stamps;
    this.#before = before;
    this.#options = options;
    this.#kept = new Map([...before].filter(([file, pair]) => this.#isUnchanged(file, pair)));
  }

  /** Among certificates for the same names, the one with the longest chain is taken. */
  *pairs(): Steps<Pairs> {
    yield* this.#readAll();
    const { place, checked } = this.#options;
    const alone: CertificateChain[] = [];
    for (const { file, text, certificates } of yield* this.#candidates()) {
      yield;
      if (this.#seen.has(certificates[0] ?? "")) continue;
      const kept = this.#kept.get(file);
      if (kept !== undefined) {
        this.#take(file, kept, certificates);
        continue;
      }
      const chain = this.#tryOrReport(file, () => parseChain(text, file, place, checked));
      const made = chain && this.#tryOrReport(file, () => this.#pair(chain));
      if (made === null) this.#keepOld(file);
      else this.#take(file, made, certificates);
      // After a broken chain, another file with the same certificate is still tried.
      if (chain === null || made !== null) continue;
      this.#see(certificates);
      alone.push(chain);
    }
    this.#reportWithoutKey(alone);
    return this.#pairs;
  }

  *#readAll(): Steps<void> {
    const known = new Set([...this.#kept.values()].map(({ keyFile }) => keyFile));
    for (const file of this.#stamps.keys()) {
      if (this.#kept.has(file) || known.has(file)) continue;
      this.#read(file);
      yield;
    }
    const keyFiles = [...this.#texts].filter(([, text]) => text.includes(" PRIVATE KEY-"));
    this.#keyFiles = Map.groupBy([...known, ...keyFiles.map(([file]) => file)], stem);
  }

  #isUnchanged(file: string, { stamp, keyFile, keyStamp }: Pair): boolean {
    return this.#stamps.get(file) === stamp && this.#stamps.get(keyFile) === keyStamp;
  }

  #take(file: string, pair: Pair, certificates: readonly string[]): void {
    this.#see(certificates);
    const same = purpose(pair.certificate);
    if (!this.#seen.has(same)) this.#pairs.set(file, pair);
    this.#seen.add(same);
  }

  #keepOld(file: string): void {
    const pair = this.#before.get(file);
    if (pair === undefined) return;
    this.#take(file, pair, blocks(pair.certificate.certificate, "CERTIFICATE"));
  }

  #see(certificates: readonly string[]): void {
    for (const one of certificates) this.#seen.add(one);
  }

  #read(file: string): string {
    try {
      return this.#texts.getOrInsertComputed(file, () => readFileSync(file, "utf8"));
    } catch (error) {
      this.#report(file, openFailed(file, error));
      this.#keepOld(file);
      return "";
    }
  }

  /** The longest chains come first. */
  *#candidates(): Steps<readonly Candidate[]> {
    const all: Candidate[] = [];
    for (const file of this.#stamps.keys()) {
      const text = this.#kept.get(file)?.certificate.certificate ?? this.#texts.get(file);
      if (text === undefined) continue;
      const certificates = blocks(text, "CERTIFICATE");
      if (certificates.length > 0 || this.#before.has(file)) all.push({ file, text, certificates });
      yield;
    }
    return all.toSorted((one, other) => other.certificates.length - one.certificates.length);
  }

  #pair(chain: CertificateChain): Pair | null {
    const likely = this.#keyFiles.get(stem(chain.name)) ?? [];
    const fits = (file: string): boolean => {
      const key = this.#key(file);
      return key !== null && chain.leaf.checkPrivateKey(key.key);
    };
    const keyFile = likely.find(fits) ?? this.#keyFileOf(chain.leaf.publicKey);
    const key = keyFile === undefined ? null : this.#key(keyFile);
    if (keyFile === undefined || key === null) return null;
    const [stamp = "", keyStamp = ""] = [chain.name, keyFile].map((file) => this.#stamps.get(file));
    return { certificate: serverCertificate(chain, key), stamp, keyFile, keyStamp };
  }

  /** Reads each file once, however many certificates are without a key. */
  #keyFileOf(publicKey: KeyObject): string | undefined {
    if (this.#byPublicKey === null) {
      this.#byPublicKey = new Map();
      for (const file of [...this.#keyFiles.values()].flat()) {
        const key = this.#key(file);
        if (key === null) continue;
        this.#byPublicKey.getOrInsert(textOf(createPublicKey(key.key)), file);
      }
    }
    return this.#byPublicKey.get(textOf(publicKey));
  }

  #key(file: string): PrivateKey | null {
    const { passwords, place } = this.#options;
    return this.#keys.getOrInsertComputed(file, () =>
      this.#tryOrReport(file, () => parseKey(this.#read(file), file, passwords, place)),
    );
  }

  /** The certificate of an authority usually lies here without its key. */
  #reportWithoutKey(alone: readonly CertificateChain[]): void {
    const used = new Set([...this.#pairs.values()].map(({ keyFile }) => keyFile));
    const spare = [...this.#keyFiles.values()].flat().filter((file) => !used.has(file));
    for (const { name, leaf } of alone) {
      if (leaf.ca && spare.length === 0) continue;
      const own = this.#keyFiles.get(stem(name)) ?? spare;
      const why =
        own.length === 1
          ? `SSL_CTX_use_PrivateKey("${own[0]}") failed (SSL: ${KEY_VALUES_MISMATCH}) for certificate "${name}"`
          : `no key fits certificate "${name}"`;
      this.#report(name, new ConfigError(why, this.#options.place));
    }
  }

  #tryOrReport<Result>(file: string, work: () => Result): Result | null {
    try {
      return work();
    } catch (error) {
      this.#report(file, error);
      return null;
    }
  }

  #report(file: string, error: unknown): void {
    const stays = this.#before.has(file) ? `, ${OLD_STAYS}` : "";
    this.errors.push(reason(error) + stays);
  }
}

/** Clients can get only one of several pairs with the same purpose. */
function purpose({ file, names, keyType }: ServerCertificate): string {
  return [keyType, ...(names.length === 0 ? [file] : names)].join(" ");
}

function textOf(publicKey: KeyObject): string {
  return publicKey.export({ type: "spki", format: "der" }).toString("latin1");
}

function stem(file: string): string {
  return parse(file).name;
}
