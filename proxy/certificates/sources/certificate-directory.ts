/** What `ssl_certificate_dir` names: a folder of certificates, and those in it, such as certbot's `live/NAME`. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { reason } from "../../reason.ts";
import { ConfigError, type Place } from "../../config/language/error.ts";
import { opendirFailed } from "../../config/language/files.ts";
import { CertificateFolder } from "./certificate-folder.ts";
import type { Certified } from "../files/certificate.ts";
import type { Report } from "./file-change.ts";
import type { Reading } from "./pairing.ts";
import type { Source } from "./source.ts";

export class CertificateDirectory implements Source {
  readonly path: string;
  readonly #reading: Reading;
  readonly #folders = new Map<string, CertificateFolder>();
  #readable = true;

  /**
   * @param path absolute
   * @param place of the directive
   * @param before the same with the same passwords, as the configuration before had it
   * @throws ConfigError where it cannot be read
   */
  constructor(
    path: string,
    passwords: readonly string[],
    place: Place,
    before?: CertificateDirectory,
  ) {
    this.path = path;
    this.#reading = { passwords, place, authorities: new Set() };
    for (const [folder, known] of before?.folders ?? []) {
      this.#folders.set(folder, this.#folder(folder, known));
    }
    this.#subfolders();
  }

  /** By path. */
  get folders(): ReadonlyMap<string, CertificateFolder> {
    return this.#folders;
  }

  /** By path. */
  get certified(): readonly Certified[] {
    return [...this.#folders.values()]
      .flatMap((folder) => folder.certified)
      .toSorted((one, other) => (one.file < other.file ? -1 : 1));
  }

  /** @param patient whether somebody may be writing */
  *look(report: Report, patient = true): Generator<void> {
    let present: ReadonlySet<string>;
    try {
      present = new Set([this.path, ...this.#subfolders()]);
      this.#readable = true;
    } catch (error) {
      // As long as nobody can say what is in it, that is what was.
      if (this.#readable) report.refused.push(reason(error));
      this.#readable = false;
      return;
    }
    for (const path of present.union(new Set(this.#folders.keys()))) {
      const folder = this.#folders.getOrInsertComputed(path, () => this.#folder(path));
      yield* folder.look(report, patient);
      if (!present.has(path) && folder.certified.length === 0) this.#folders.delete(path);
      yield;
    }
    this.#reading.authorities.clear();
  }

  #folder(path: string, before?: CertificateFolder): CertificateFolder {
    return new CertificateFolder(path, this.#reading, before);
  }

  /** @throws ConfigError */
  #subfolders(): readonly string[] {
    try {
      return readdirSync(this.path, { withFileTypes: true })
        .filter((entry) => !entry.name.startsWith(".") && isFolder(entry))
        .map(({ name }) => join(this.path, name));
    } catch (error) {
      throw new ConfigError(opendirFailed(this.path, error), this.#reading.place);
    }
  }
}

function isFolder(entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(join(entry.parentPath, entry.name)).isDirectory();
  } catch {
    return false;
  }
}
