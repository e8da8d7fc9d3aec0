/**
 * A folder of certificates and keys, as its files have them, and again when they change: `tls.crt` and `tls.key`,
 * `NAME.pem` with both, certbot's `fullchain.pem` and `privkey.pem`.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "../error.ts";
import type { Certified } from "./certified.ts";
import { Changes, type Report, isMissing, stamp } from "./file-change.ts";
import { type Pairs, Pairing } from "./pairing.ts";

/** What begins with a dot is somebody's in-between, such as the `..data` of Kubernetes. */
const FILES = /^[^.].*\.(?:pem|crt|cer|key)$/i;

export class CertificateFolder {
  readonly #path: string;
  readonly #passwords: readonly string[];
  readonly #place: Place;
  readonly #changes = new Changes("");
  #pairs: Pairs = new Map();

  /** @param place of the directive */
  constructor(path: string, passwords: readonly string[], place: Place) {
    this.#path = path;
    this.#passwords = passwords;
    this.#place = place;
  }

  get certified(): readonly Certified[] {
    return [...this.#pairs.values()].map((pair) => pair.certified);
  }

  /** @param patient whether somebody may be writing */
  look(report: Report, patient: boolean): void {
    const stamps = this.#stamps();
    if (stamps === null || !this.#changes.look([...stamps].join("\n"), report, patient)) return;
    const pairing = new Pairing(stamps, this.#pairs, this.#passwords, this.#place);
    this.#pairs = pairing.pairs();
    report.changed = true;
    report.refused.push(...pairing.refused);
  }

  /** By path; null where nobody can say. */
  #stamps(): ReadonlyMap<string, string> | null {
    try {
      const names = readdirSync(this.#path).filter((name) => FILES.test(name));
      const stamps = names
        .map((name) => join(this.#path, name))
        .map((path) => [path, stamp(path)] as const);
      return new Map(stamps.filter(([, found]) => found !== ""));
    } catch (error) {
      return isMissing(error) ? new Map() : null;
    }
  }
}
