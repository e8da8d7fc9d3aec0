/** A certificate that `ssl_certificate` names, with its key: as the files have it, and again when they change. */
import { reason } from "../../reason.ts";
import type { Place } from "../../config/language/error.ts";
import { type Certified, certified } from "../files/certificate.ts";
import { Changes, type Report, stamp } from "./file-change.ts";
import { STAYS } from "./pairing.ts";
import { TlsFiles } from "../files/tls-files.ts";
import { KeyPairs } from "../files/key-pairs.ts";
import type { Source } from "./source.ts";

/** A certificate and its key, as the directives name them. */
export interface NamedPair {
  readonly certificate: string;
  readonly key: string;
  readonly passwords: readonly string[];
  readonly places: { readonly certificate: Place; readonly key: Place };
}

export class CertificateFile implements Source {
  readonly #pair: NamedPair;
  readonly #directory: string;
  readonly #paths: readonly string[];
  readonly #changes: Changes;
  #certified: readonly [Certified];
  /** Whether that is what the files hold now. */
  #current = true;

  /**
   * @param before the same with the same passwords, as the configuration before had it
   * @throws ConfigError for a file that cannot be used, or a key that is another certificate's
   */
  constructor(pair: NamedPair, files: TlsFiles, before?: CertificateFile) {
    this.#pair = pair;
    this.#directory = files.directory;
    this.#paths = [pair.certificate, pair.key].flatMap((given) => files.path(given) ?? []);
    // Before they are read: what is written meanwhile is a change.
    this.#changes = new Changes(this.#stamps());
    this.#certified = before?.at(this.#changes.known) ?? this.#read(files);
  }

  get certified(): readonly [Certified] {
    return this.#certified;
  }

  /** What the files hold in that state; null where that is not known. */
  at(state: string | null): readonly [Certified] | null {
    return this.#current && this.#changes.known === state ? this.#certified : null;
  }

  look(report: Report): readonly [] {
    if (this.#changes.look(this.#stamps(), report)) {
      try {
        this.#certified = this.#read(new TlsFiles(this.#directory));
        this.#current = true;
        report.changed = true;
      } catch (error) {
        this.#current = false;
        report.refused.push(`${reason(error)}, ${STAYS}`);
      }
    }
    return [];
  }

  #read(files: TlsFiles): readonly [Certified] {
    const { certificate, key, passwords, places } = this.#pair;
    const chain = files.chain(certificate, places.certificate);
    const secret = files.key(key, passwords, places.key);
    new KeyPairs().add(chain, secret, places.key);
    return [certified(chain, secret)];
  }

  #stamps(): string {
    return this.#paths.map(stamp).join("\n");
  }
}
