/** `ssl_certificate_dir`: a folder with certificates, and its subfolders, such as certbot's `live/NAME`. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  type CertificateDirectorySettings,
  ConfigError,
  opendirFailed,
} from "../../config/index.ts";
import { reason } from "../../reason.ts";
import type { ServerCertificate } from "../files/certificate.ts";
import { CertificateFolder } from "./certificate-folder.ts";
import type { PollReport } from "./file-change.ts";
import type { PairingOptions } from "./pairing.ts";
import type { Source } from "./source.ts";

export class CertificateDirectory implements Source {
  readonly #path: string;
  readonly #options: PairingOptions;
  /** By path. */
  readonly #folders = new Map<string, CertificateFolder>();
  #readable = true;

  /**
   * @param before the same directory with the same passwords in the configuration before
   * @throws ConfigError where it cannot be read
   */
  constructor(
    { path, place }: CertificateDirectorySettings,
    passwords: readonly string[],
    before?: CertificateDirectory,
  ) {
    this.#path = path;
    this.#options = { passwords, place, checked: new Set() };
    for (const [folder, known] of before?.folders ?? []) {
      this.#folders.set(folder, this.#folder(folder, known));
    }
    this.#subfolders();
  }

  /** By path. */
  get folders(): ReadonlyMap<string, CertificateFolder> {
    return this.#folders;
  }

  /** In the order of their paths. */
  get certificates(): readonly ServerCertificate[] {
    return [...this.#folders.values()]
      .flatMap((folder) => folder.certificates)
      .toSorted((one, other) => (one.file < other.file ? -1 : 1));
  }

  /** @param settle false to take changes at once, although a writer may be at work */
  *poll(report: PollReport, settle = true): Generator<void> {
    let present: ReadonlySet<string>;
    try {
      present = new Set([this.#path, ...this.#subfolders()]);
      this.#readable = true;
    } catch (error) {
      // The certificates stay as long as the directory cannot be read.
      if (this.#readable) report.errors.push(reason(error));
      this.#readable = false;
      return;
    }
    for (const path of present.union(new Set(this.#folders.keys()))) {
      const folder = this.#folders.getOrInsertComputed(path, () => this.#folder(path));
      yield* folder.poll(report, settle);
      if (!present.has(path) && folder.certificates.length === 0) this.#folders.delete(path);
      yield;
    }
    this.#options.checked.clear();
  }

  #folder(path: string, before?: CertificateFolder): CertificateFolder {
    return new CertificateFolder(path, this.#options, before);
  }

  /** @throws ConfigError */
  #subfolders(): readonly string[] {
    try {
      return readdirSync(this.#path, { withFileTypes: true })
        .filter((entry) => !entry.name.startsWith(".") && isFolder(entry))
        .map(({ name }) => join(this.#path, name));
    } catch (error) {
      throw new ConfigError(opendirFailed(this.#path, error), this.#options.place);
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
