/** The certificates that a server's directives name. */
import { resolve } from "node:path";
import { ConfigError, type Place } from "../error.ts";
import type { Findings } from "../findings.ts";
import { CertificateDirectory } from "./certificate-directory.ts";
import { CertificateFile } from "./certificate-file.ts";
import type { Report } from "./file-change.ts";
import { type TlsFiles, shownFile } from "./files.ts";
import type { PlaceOf, TlsValues } from "./ssl.ts";

/** The directive that makes a server speak TLS. */
export interface TlsUser {
  readonly name: "listen ... ssl" | "starttls";
  readonly place: Place;
}

/** Reads each file once, however many servers name it. */
export class CertificateReader {
  readonly #files: TlsFiles;
  readonly #findings: Findings;
  readonly #own = new Map<string, CertificateFile>();
  readonly #directories = new Map<string, CertificateDirectory>();

  constructor(files: TlsFiles, findings: Findings) {
    this.#files = files;
    this.#findings = findings;
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
      const which = [pair.certificate, pair.key, ...passwords].join("\0");
      return this.#own.getOrInsertComputed(which, () => new CertificateFile(pair, this.#files));
    });
  }

  /**
   * All that `ssl_certificate_dir` has; what of it cannot be used is a warning.
   *
   * @throws ConfigError where it cannot be read
   */
  found(values: TlsValues, placeOf: PlaceOf): readonly CertificateDirectory[] {
    const { ssl_certificate_dir: given, ssl_password_file: passwords } = values;
    if (given === null) return [];
    const path = resolve(this.#files.directory, given);
    const which = [path, ...passwords].join("\0");
    const directory = this.#directories.getOrInsertComputed(which, () =>
      this.#read(new CertificateDirectory(path, passwords, placeOf("ssl_certificate_dir"))),
    );
    return [directory];
  }

  #read(directory: CertificateDirectory): CertificateDirectory {
    const report: Report = { changed: false, changing: false, refused: [] };
    Array.from(directory.look(report, false));
    this.#findings.warnings.push(...report.refused);
    return directory;
  }
}
