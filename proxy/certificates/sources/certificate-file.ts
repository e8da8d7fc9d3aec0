/** A certificate of `ssl_certificate` with its key. Both files are read again after a change. */
import type { NamedPair } from "../../config/index.ts";
import { reason } from "../../reason.ts";
import { type ServerCertificate, serverCertificate } from "../files/certificate.ts";
import { KeyPairs } from "../files/key-pairs.ts";
import { TlsFiles } from "../files/tls-files.ts";
import { ChangeDetector, type PollReport, stamp } from "./file-change.ts";
import { OLD_STAYS } from "./pairing.ts";
import type { Source } from "./source.ts";

export class CertificateFile implements Source {
  readonly #pair: NamedPair;
  readonly #passwords: readonly string[];
  readonly #paths: readonly string[];
  readonly #changes: ChangeDetector;
  #certificates: readonly [ServerCertificate];
  /** False if the files hold something else that cannot be used. */
  #current = true;

  /**
   * @param before the same pair with the same passwords in the configuration before
   * @throws ConfigError for a file that cannot be used, or a key that does not belong to the certificate
   */
  constructor(
    pair: NamedPair,
    passwords: readonly string[],
    files: TlsFiles,
    before?: CertificateFile,
  ) {
    this.#pair = pair;
    this.#passwords = passwords;
    this.#paths = [pair.certificate, pair.key].flatMap(({ name, contents }) =>
      contents === null ? name : [],
    );
    // Taken before the files are read, so that a write in between is a change.
    this.#changes = new ChangeDetector(this.#stamps());
    this.#certificates = before?.at(this.#changes.handled) ?? this.#read(files);
  }

  get certificates(): readonly [ServerCertificate] {
    return this.#certificates;
  }

  /** The contents of the files in that state; null where they are not known. */
  at(state: string | null): readonly [ServerCertificate] | null {
    return this.#current && this.#changes.handled === state ? this.#certificates : null;
  }

  poll(report: PollReport): readonly [] {
    if (this.#changes.poll(this.#stamps(), report)) {
      try {
        this.#certificates = this.#read(new TlsFiles());
        this.#current = true;
        report.changed = true;
      } catch (error) {
        this.#current = false;
        report.errors.push(`${reason(error)}, ${OLD_STAYS}`);
      }
    }
    return [];
  }

  #read(files: TlsFiles): readonly [ServerCertificate] {
    const { certificate, key: keyFile } = this.#pair;
    const chain = files.chain(certificate);
    const key = files.key(keyFile, this.#passwords);
    new KeyPairs().add(chain, key, keyFile.place);
    return [serverCertificate(chain, key)];
  }

  #stamps(): string {
    return this.#paths.map(stamp).join("\n");
  }
}
