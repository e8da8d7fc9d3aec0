/** What `ssl_certificate_dir` names: a folder of certificates, and those in it, such as certbot's `live/NAME`. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { reason, systemReason } from "../../reason.ts";
import { ConfigError, type Place } from "../error.ts";
import { CertificateFolder } from "./certificate-folder.ts";
import type { Certified } from "./certified.ts";
import type { Report } from "./file-change.ts";
import type { Source } from "./key-material.ts";

export class CertificateDirectory implements Source {
  readonly path: string;
  readonly place: Place;
  readonly #passwords: readonly string[];
  readonly #folders = new Map<string, CertificateFolder>();
  #readable = true;

  /**
   * @param path absolute
   * @param place of the directive
   * @throws ConfigError where it cannot be read
   */
  constructor(path: string, passwords: readonly string[], place: Place) {
    this.path = path;
    this.place = place;
    this.#passwords = passwords;
    this.#subfolders();
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
      folder.look(report, patient);
      if (!present.has(path) && folder.certified.length === 0) this.#folders.delete(path);
      yield;
    }
  }

  #folder(path: string): CertificateFolder {
    return new CertificateFolder(path, this.#passwords, this.place);
  }

  /** @throws ConfigError */
  #subfolders(): readonly string[] {
    try {
      return readdirSync(this.path, { withFileTypes: true })
        .filter((entry) => !entry.name.startsWith(".") && isFolder(entry))
        .map(({ name }) => join(this.path, name));
    } catch (error) {
      const why = `opendir() "${this.path}" failed (${systemReason(error)})`;
      throw new ConfigError(why, this.place);
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
