/** Which key is which certificate's, among the files of a folder, whatever their names: the one that fits. */
import { type KeyObject, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { parse } from "node:path";
import type { Steps } from "../../slices.ts";
import { reason } from "../../reason.ts";
import { ConfigError, type Place } from "../../config/language/error.ts";
import { openFailed } from "../../config/language/files.ts";
import { type Certified, certified } from "../files/certificate.ts";
import { type Chain, type SecretKey, chainIn, keyIn } from "../files/tls-files.ts";
import { KEY_VALUES_MISMATCH } from "../../config/tls/openssl-errors.ts";
import { blocks } from "../files/pem.ts";

/** A certificate in service, and the files that it was made of. */
export interface Paired {
  readonly certified: Certified;
  readonly stamp: string;
  readonly keyFile: string;
  readonly keyStamp: string;
}

/** By the paths of the certificates. */
export type Pairs = ReadonlyMap<string, Paired>;

/** How the files of a directory are read. */
export interface Reading {
  readonly passwords: readonly string[];
  /** Of the directive. */
  readonly place: Place;
  /** Their certificates end most chains, and are known to be whole once they have been parsed. */
  readonly authorities: Set<string>;
}

/** What is said behind the reason why a certificate cannot be used that has come in the place of another. */
export const STAYS = "the certificate before it stays";

interface Candidate {
  readonly file: string;
  readonly text: string;
  readonly certificates: readonly string[];
}

export class Pairing {
  readonly #stamps: ReadonlyMap<string, string>;
  readonly #before: Pairs;
  readonly #reading: Reading;
  /** What is as it was. */
  readonly #kept: Pairs;
  readonly #texts = new Map<string, string>();
  readonly #keys = new Map<string, SecretKey | null>();
  /** Of files that hold keys, by their names without what follows the dot. */
  #keyFiles: ReadonlyMap<string, readonly string[]> = new Map();
  /** Of all these files, once somebody has looked for one by its key. */
  #byPublicKey: Map<string, string> | null = null;
  readonly #pairs = new Map<string, Paired>();
  /** The certificates in the chains that have been seen, and what the pairs are for. */
  readonly #seen = new Set<string>();
  /** Why files cannot be used. */
  readonly refused: string[] = [];

  /**
   * @param stamps of the files
   * @param before what was made of them the last time; it stays where they cannot be used now
   */
  constructor(stamps: ReadonlyMap<string, string>, before: Pairs, reading: Reading) {
    this.#stamps = stamps;
    this.#before = before;
    this.#reading = reading;
    this.#kept = new Map([...before].filter(([file, pair]) => this.#isUnchanged(file, pair)));
  }

  /** Of those for the same names, the one with the longest chain. */
  *pairs(): Steps<Pairs> {
    yield* this.#readAll();
    const { place, authorities } = this.#reading;
    const alone: Chain[] = [];
    for (const { file, text, certificates } of yield* this.#candidates()) {
      yield;
      if (this.#seen.has(certificates[0] ?? "")) continue;
      const kept = this.#kept.get(file);
      if (kept !== undefined) {
        this.#take(file, kept, certificates);
        continue;
      }
      const chain = this.#attempt(file, () => chainIn(text, file, place, authorities));
      const made = chain && this.#attempt(file, () => this.#paired(chain));
      if (made === null) this.#leave(file);
      else this.#take(file, made, certificates);
      // One that is broken leaves others with the same certificate their chance.
      if (chain === null || made !== null) continue;
      this.#see(certificates);
      alone.push(chain);
    }
    this.#blame(alone);
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

  #isUnchanged(file: string, { stamp, keyFile, keyStamp }: Paired): boolean {
    return this.#stamps.get(file) === stamp && this.#stamps.get(keyFile) === keyStamp;
  }

  #take(file: string, pair: Paired, certificates: readonly string[]): void {
    this.#see(certificates);
    const same = purpose(pair.certified);
    if (!this.#seen.has(same)) this.#pairs.set(file, pair);
    this.#seen.add(same);
  }

  /** What was there stays. */
  #leave(file: string): void {
    const pair = this.#before.get(file);
    if (pair === undefined) return;
    this.#take(file, pair, blocks(pair.certified.certificate, "CERTIFICATE"));
  }

  #see(certificates: readonly string[]): void {
    for (const one of certificates) this.#seen.add(one);
  }

  #read(file: string): string {
    try {
      return this.#texts.getOrInsertComputed(file, () => readFileSync(file, "utf8"));
    } catch (error) {
      this.#refuse(file, openFailed(file, error));
      this.#leave(file);
      return "";
    }
  }

  /** Those with the longest chains first. */
  *#candidates(): Steps<readonly Candidate[]> {
    const all: Candidate[] = [];
    for (const file of this.#stamps.keys()) {
      const text = this.#kept.get(file)?.certified.certificate ?? this.#texts.get(file);
      if (text === undefined) continue;
      const certificates = blocks(text, "CERTIFICATE");
      if (certificates.length > 0 || this.#before.has(file)) all.push({ file, text, certificates });
      yield;
    }
    return all.toSorted((one, other) => other.certificates.length - one.certificates.length);
  }

  #paired(chain: Chain): Paired | null {
    const likely = this.#keyFiles.get(stem(chain.name)) ?? [];
    const fits = (file: string): boolean => {
      const secret = this.#key(file);
      return secret !== null && chain.leaf.checkPrivateKey(secret.key);
    };
    const keyFile = likely.find(fits) ?? this.#keyFileOf(chain.leaf.publicKey);
    const secret = keyFile === undefined ? null : this.#key(keyFile);
    if (keyFile === undefined || secret === null) return null;
    const [stamp = "", keyStamp = ""] = [chain.name, keyFile].map((file) => this.#stamps.get(file));
    return { certified: certified(chain, secret), stamp, keyFile, keyStamp };
  }

  /** Each is read once, however many certificates look for theirs. */
  #keyFileOf(key: KeyObject): string | undefined {
    if (this.#byPublicKey === null) {
      this.#byPublicKey = new Map();
      for (const file of [...this.#keyFiles.values()].flat()) {
        const secret = this.#key(file);
        if (secret === null) continue;
        this.#byPublicKey.getOrInsert(textOf(createPublicKey(secret.key)), file);
      }
    }
    return this.#byPublicKey.get(textOf(key));
  }

  #key(file: string): SecretKey | null {
    const { passwords, place } = this.#reading;
    return this.#keys.getOrInsertComputed(file, () =>
      this.#attempt(file, () => keyIn(this.#read(file), file, passwords, place)),
    );
  }

  /** An authority's certificate may well be here without its key. */
  #blame(alone: readonly Chain[]): void {
    const used = new Set([...this.#pairs.values()].map(({ keyFile }) => keyFile));
    const spare = [...this.#keyFiles.values()].flat().filter((file) => !used.has(file));
    for (const { name, leaf } of alone) {
      if (leaf.ca && spare.length === 0) continue;
      const own = this.#keyFiles.get(stem(name)) ?? spare;
      const why =
        own.length === 1
          ? `SSL_CTX_use_PrivateKey("${own[0]}") failed (SSL: ${KEY_VALUES_MISMATCH}) for certificate "${name}"`
          : `no key fits certificate "${name}"`;
      this.#refuse(name, new ConfigError(why, this.#reading.place));
    }
  }

  #attempt<Result>(file: string, work: () => Result): Result | null {
    try {
      return work();
    } catch (error) {
      this.#refuse(file, error);
      return null;
    }
  }

  #refuse(file: string, error: unknown): void {
    const stays = this.#before.has(file) ? `, ${STAYS}` : "";
    this.refused.push(reason(error) + stays);
  }
}

/** A pair that is for the same would not be shown. */
function purpose({ file, names, keyType }: Certified): string {
  return [keyType, ...(names.length === 0 ? [file] : names)].join(" ");
}

function textOf(publicKey: KeyObject): string {
  return publicKey.export({ type: "spki", format: "der" }).toString("latin1");
}

function stem(file: string): string {
  return parse(file).name;
}
