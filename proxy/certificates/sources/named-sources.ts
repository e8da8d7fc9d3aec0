/** The certificates that a server's directives name. */
import { resolve } from "node:path";
import type { Steps } from "../../slices.ts";
import { ConfigError, type Place } from "../../config/language/error.ts";
import type { Diagnostics } from "../../config/language/diagnostics.ts";
import { CertificateDirectory } from "./certificate-directory.ts";
import { CertificateFile } from "./certificate-file.ts";
import type { Report } from "./file-change.ts";
import { type TlsFiles, shownFile } from "../files/tls-files.ts";
import type { PlaceOf, TlsValues } from "../../config/tls/ssl.ts";

/** The directive that makes a server speak TLS. */
export interface TlsUser {
  readonly name: "listen ... ssl" | "starttls";
  readonly place: Place;
}

/** Those of a configuration, by what its directives say. */
export interface NamedSources {
  readonly files: ReadonlyMap<string, CertificateFile>;
  readonly directories: ReadonlyMap<string, CertificateDirectory>;
}

/** Reads each file once, however many servers name it, and none that was read for the configuration before. */
export class CertificateReader {
  readonly #files: TlsFiles;
  readonly #diagnostics: Diagnostics;
  readonly #before: NamedSources | null;
  readonly #own = new Map<string, CertificateFile>();
  readonly #directories = new Map<string, CertificateDirectory>();

  constructor(files: TlsFiles, diagnostics: Diagnostics, before: NamedSources | null) {
    this.#files = files;
    this.#diagnostics = diagnostics;
    this.#before = before;
  }

  get named(): NamedSources {
    return { files: this.#own, directories: this.#directories };
  }

  /**
   * The pairs of `ssl_certificate` and `ssl_certificate_key`: the n-th with the n-th.
   *
   * @throws ConfigError for one that is missing, unreadable, or whose halves do not belong together
   */
  own(values: TlsValues, user: TlsUser, placeOf: PlaceOf): readonly CertificateFile[] {
    const { ssl_certificate, ssl_certificate_key, ssl_password_file: passwords } = values;
    const missing = (directive: string, owner = ""): ConfigError =>
      new ConfigError(
        `no "${directive}" is defined for ${owner}the "${user.name}" directive`,
        user.place,
      );
    const last = ssl_certificate.at(-1);
    if (last === undefined) {
      if (values.ssl_certificate_dir === null) throw missing("ssl_certificate");
      return [];
    }
    if (ssl_certificate_key.length === 0) throw missing("ssl_certificate_key");
    if (ssl_certificate_key.length < ssl_certificate.length) {
      throw missing("ssl_certificate_key", `certificate "${shownFile(last)}" and `);
    }
    const places = { certificate: placeOf("ssl_certificate"), key: placeOf("ssl_certificate_key") };
    return ssl_certificate.map((certificate, index) => {
      const pair = { certificate, key: ssl_certificate_key[index] ?? "", passwords, places };
      const paths = [pair.certificate, pair.key].map((given) => this.#files.path(given) ?? given);
      const which = [...paths, ...passwords].join("\0");
      const before = this.#before?.files.get(which);
      return this.#own.getOrInsertComputed(
        which,
        () => new CertificateFile(pair, this.#files, before),
      );
    });
  }

  /**
   * All that `ssl_certificate_dir` has; what of it cannot be used is a warning.
   *
   * @throws ConfigError where it cannot be read
   */
  *found(values: TlsValues, placeOf: PlaceOf): Steps<readonly CertificateDirectory[]> {
    const { ssl_certificate_dir: given, ssl_password_file: passwords } = values;
    if (given === null) return [];
    const path = resolve(this.#files.directory, given);
    const which = [path, ...passwords].join("\0");
    const known = this.#directories.get(which);
    if (known !== undefined) return [known];
    const place = placeOf("ssl_certificate_dir");
    const before = this.#before?.directories.get(which);
    const directory = new CertificateDirectory(path, passwords, place, before);
    this.#directories.set(which, directory);
    const report: Report = { changed: false, changing: false, refused: [] };
    yield* directory.look(report, false);
    this.#diagnostics.warnings.push(...report.refused);
    return [directory];
  }
}
