/**
 * A folder of certificates and keys, read again after a change: `tls.crt` and `tls.key`, `NAME.pem` with both,
 * certbot's `fullchain.pem` and `privkey.pem`.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, opendirFailed } from "../../config/index.ts";
import type { Steps } from "../../slices.ts";
import type { ServerCertificate } from "../files/certificate.ts";
import { ChangeDetector, type PollReport, isMissing, stamp } from "./file-change.ts";
import { type Pairs, Pairing, type PairingOptions } from "./pairing.ts";

/** A name with a dot in front is a file in preparation, such as the `..data` of Kubernetes. */
const FILES = /^[^.].*\.(?:pem|crt|cer|key)$/i;

export class CertificateFolder {
  readonly #path: string;
  readonly #options: PairingOptions;
  readonly #changes = new ChangeDetector(null);
  #pairs: Pairs = new Map();
  /** True if the files hold nothing else. */
  #complete = false;
  /** True while a poll reads the files. A poll may be abandoned half-way. */
  #reading = false;
  #readable = true;

  constructor(path: string, options: PairingOptions, before?: CertificateFolder) {
    this.#path = path;
    this.#options = options;
    if (before === undefined) return;
    this.#pairs = before.#pairs;
    this.#complete = before.#complete;
    // After a reload, files that cannot be used are reported again.
    if (before.#complete) this.#changes = new ChangeDetector(before.#changes.handled);
  }

  get certificates(): readonly ServerCertificate[] {
    return [...this.#pairs.values()].map(({ certificate }) => certificate);
  }

  /** @param settle false to take changes at once, although a writer may be at work */
  *poll(report: PollReport, settle: boolean): Steps<void> {
    const stamps = yield* this.#stamps(report);
    if (stamps === null) return;
    const changed = this.#changes.poll([...stamps].join("\n"), report, settle);
    if (!changed && !this.#reading) return;
    this.#reading = true;
    const pairing = new Pairing(stamps, this.#pairs, this.#options);
    // A configuration that takes this folder over meanwhile must read it for itself.
    this.#complete = false;
    this.#pairs = yield* pairing.pairs();
    this.#complete = pairing.errors.length === 0;
    this.#reading = false;
    report.changed = true;
    report.errors.push(...pairing.errors);
  }

  #unreadable(error: unknown): ConfigError {
    return new ConfigError(opendirFailed(this.#path, error), this.#options.place);
  }

  /** By path; null where the folder cannot be read, which is reported once. */
  *#stamps(report: PollReport): Steps<ReadonlyMap<string, string> | null> {
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
      if (this.#readable) report.errors.push(this.#unreadable(error).message);
      this.#readable = false;
      return null;
    }
  }
}
