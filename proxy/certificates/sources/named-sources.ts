/** The sources that directives name. Each is read once, and taken over from the configuration before if unchanged. */
import type { CertificateDirectorySettings, NamedPair } from "../../config/index.ts";
import type { Steps } from "../../slices.ts";
import type { TlsFiles } from "../files/tls-files.ts";
import { CertificateDirectory } from "./certificate-directory.ts";
import { CertificateFile } from "./certificate-file.ts";
import type { PollReport } from "./file-change.ts";

/** By the arguments of their directives. */
export interface SourcesByName {
  readonly files: ReadonlyMap<string, CertificateFile>;
  readonly directories: ReadonlyMap<string, CertificateDirectory>;
}

export class NamedSources implements SourcesByName {
  readonly files = new Map<string, CertificateFile>();
  readonly directories = new Map<string, CertificateDirectory>();
  readonly #files: TlsFiles;
  readonly #before: SourcesByName | null;

  /** @param before the sources of the configuration before */
  constructor(files: TlsFiles, before: SourcesByName | null) {
    this.#files = files;
    this.#before = before;
  }

  /** @throws ConfigError for a pair that cannot be used */
  file(pair: NamedPair, passwords: readonly string[]): CertificateFile {
    const { certificate, key } = pair;
    const names = [certificate, key].map(({ name, contents }) => contents ?? name);
    const id = [...names, ...passwords].join("\0");
    const before = this.#before?.files.get(id);
    return this.files.getOrInsertComputed(
      id,
      () => new CertificateFile(pair, passwords, this.#files, before),
    );
  }

  /**
   * @param report gets the reasons why files in the directory cannot be used
   * @throws ConfigError where the directory cannot be read
   */
  *directory(
    settings: CertificateDirectorySettings,
    passwords: readonly string[],
    report: PollReport,
  ): Steps<CertificateDirectory> {
    const id = [settings.path, ...passwords].join("\0");
    const known = this.directories.get(id);
    if (known !== undefined) return known;
    const before = this.#before?.directories.get(id);
    const directory = new CertificateDirectory(settings, passwords, before);
    this.directories.set(id, directory);
    yield* directory.poll(report, false);
    return directory;
  }
}
