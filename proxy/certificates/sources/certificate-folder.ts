/**
 * A folder of certificates and keys, as its files have them, and again when they change: `tls.crt` and `tls.key`,
 * `NAME.pem` with both, certbot's `fullchain.pem` and `privkey.pem`.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Steps } from "../../slices.ts";
import { ConfigError } from "../../config/language/error.ts";
import { opendirFailed } from "../../config/language/files.ts";
import type { Certified } from "../files/certificate.ts";
import { Changes, type Report, isMissing, stamp } from "./file-change.ts";
import { type Pairs, Pairing, type Reading } from "./pairing.ts";

/** What begins with a dot is somebody's in-between, such as the `..data` of Kubernetes. */
const FILES = /^[^.].*\.(?:pem|crt|cer|key)$/i;

export class CertificateFolder {
  readonly #path: string;
  readonly #reading: Reading;
  readonly #changes = new Changes(null);
  #pairs: Pairs = new Map();
  /** Whether those are all that the files hold. */
  #whole = false;
  /** Whether a look has begun to read them, and not come to its end: it may have been given up. */
  #begun = false;
  #readable = true;

  constructor(path: string, reading: Reading, before?: CertificateFolder) {
    this.#path = path;
    this.#reading = reading;
    if (before === undefined) return;
    this.#pairs = before.#pairs;
    this.#whole = before.#whole;
    // What cannot be used is to be told again.
    if (before.#whole) this.#changes = new Changes(before.#changes.known);
  }

  get certified(): readonly Certified[] {
    return [...this.#pairs.values()].map((pair) => pair.certified);
  }

  /** @param patient whether somebody may be writing */
  *look(report: Report, patient: boolean): Steps<void> {
    const stamps = yield* this.#stamps(report);
    if (stamps === null) return;
    const changed = this.#changes.look([...stamps].join("\n"), report, patient);
    if (!changed && !this.#begun) return;
    this.#begun = true;
    const pairing = new Pairing(stamps, this.#pairs, this.#reading);
    // Whoever takes this over meanwhile shall look for itself.
    this.#whole = false;
    this.#pairs = yield* pairing.pairs();
    this.#whole = pairing.refused.length === 0;
    this.#begun = false;
    report.changed = true;
    report.refused.push(...pairing.refused);
  }

  #unreadable(error: unknown): ConfigError {
    return new ConfigError(opendirFailed(this.#path, error), this.#reading.place);
  }

  /** By path; null where nobody can say, which is told once. */
  *#stamps(report: Report): Steps<ReadonlyMap<string, string> | null> {
    const stamps = new Map<string, string>();
    try {
      for (const name of readdirSync(this.#path).filter((each) => FILES.test(each))) {
        const path = join(this.#path, name);
        const found = stamp(path);
        if (found !== "") stamps.set(path, found);
        yield;
      }
      this.#readable = true;
      return stamps;
    } catch (error) {
      if (isMissing(error)) return new Map();
      if (this.#readable) report.refused.push(this.#unreadable(error).message);
      this.#readable = false;
      return null;
    }
  }
}
