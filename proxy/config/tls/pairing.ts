/** Which key is which certificate's, among the files of a folder, whatever their names: the one that fits. */
import { type KeyObject, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { parse } from "node:path";
import { reason } from "../../reason.ts";
import { ConfigError, type Place } from "../error.ts";
import { openFailed } from "../files.ts";
import { type Certified, certified } from "./certified.ts";
import { type Chain, type SecretKey, chainIn, keyIn } from "./files.ts";
import { KEY_VALUES_MISMATCH } from "./openssl-words.ts";
import { blocks } from "./pem.ts";

/** A certificate in service, and the files that it was made of. */
export interface Paired {
  readonly certified: Certified;
  readonly stamp: string;
  readonly keyFile: string;
  readonly keyStamp: string;
}

/** By the paths of the certificates. */
export type Pairs = ReadonlyMap<string, Paired>;

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
  readonly #passwords: readonly string[];
  readonly #place: Place;
  readonly #texts = new Map<string, string>();
  readonly #keys = new Map<string, SecretKey | null>();
  /** Of files that hold keys, by their names without what follows the dot. */
  readonly #keyFiles: ReadonlyMap<string, readonly string[]>;
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
   * @param place of the directive
   */
  constructor(
    stamps: ReadonlyMap<string, string>,
    before: Pairs,
    passwords: readonly string[],
    place: Place,
  ) {
    this.#stamps = stamps;
    this.#before = before;
    this.#passwords = passwords;
    this.#place = place;
    const kept = [...before].filter(([file, pair]) => this.#isUnchanged(file, pair));
    for (const [file, pair] of kept) this.#take(file, pair);
    const known = new Set(kept.map(([, { keyFile }]) => keyFile));
    for (const file of stamps.keys()) {
      if (!this.#pairs.has(file) && !known.has(file)) this.#read(file);
    }
    const keyFiles = [...this.#texts].filter(([, text]) => text.includes(" PRIVATE KEY-"));
    this.#keyFiles = Map.groupBy([...known, ...keyFiles.map(([file]) => file)], stem);
  }

  /** Of those for the same names, the one with the longest chain. */
  pairs(): Pairs {
    const alone: Chain[] = [];
    for (const { file, text, certificates } of this.#candidates()) {
      if (this.#seen.has(certificates[0] ?? "")) continue;
      for (const one of certificates) this.#seen.add(one);
      const chain = this.#attempt(file, () => chainIn(text, file, this.#place));
      const made = chain && this.#attempt(file, () => this.#paired(chain));
      if (chain !== null && made === null) alone.push(chain);
      const pair = made ?? this.#before.get(file);
      if (pair !== undefined) this.#take(file, pair);
    }
    this.#blame(alone);
    return this.#pairs;
  }

  #isUnchanged(file: string, { stamp, keyFile, keyStamp }: Paired): boolean {
    return this.#stamps.get(file) === stamp && this.#stamps.get(keyFile) === keyStamp;
  }

  #take(file: string, pair: Paired): void {
    const { certificate } = pair.certified;
    for (const one of blocks(certificate, "CERTIFICATE")) this.#seen.add(one);
    const same = purpose(pair.certified);
    if (!this.#seen.has(same)) this.#pairs.set(file, pair);
    this.#seen.add(same);
  }

  #read(file: string): string {
    try {
      return this.#texts.getOrInsertComputed(file, () => readFileSync(file, "latin1"));
    } catch (error) {
      this.#refuse(file, openFailed(file, error));
      const before = this.#before.get(file);
      if (before !== undefined && !this.#pairs.has(file)) this.#take(file, before);
      return "";
    }
  }

  /** Those with the longest chains first. */
  #candidates(): readonly Candidate[] {
    return [...this.#texts]
      .map(([file, text]) => ({ file, text, certificates: blocks(text, "CERTIFICATE") }))
      .filter(({ file, certificates }) => certificates.length > 0 || this.#before.has(file))
      .toSorted((one, other) => other.certificates.length - one.certificates.length);
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
    return this.#keys.getOrInsertComputed(file, () =>
      this.#attempt(file, () => keyIn(this.#read(file), file, this.#passwords, this.#place)),
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
      this.#refuse(name, new ConfigError(why, this.#place));
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
