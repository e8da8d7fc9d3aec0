/**
 * The certificates and keys of a configuration. The primary process loads them, polls their files and sends them to
 * the workers, which cannot read the files themselves.
 */
import type { Settings } from "../config/index.ts";
import type { ClientTlsOptions, KeyPair, ServerTlsOptions } from "../transport/index.ts";
import type { ServerCertificate } from "./files/certificate.ts";
import type { RenewableMaterial, TlsMaterial } from "./material.ts";
import { type SniTable, sniTable } from "./sni.ts";
import type { PollReport } from "./sources/file-change.ts";
import type { SourcesByName } from "./sources/named-sources.ts";
import type { Source } from "./sources/source.ts";
import type { TicketKeyFiles } from "./sources/ticket-key-files.ts";

/** Settings with the certificates that they name. */
export interface LoadedSettings extends Settings {
  readonly certificates: CertificateStore;
}

interface CertificateSources {
  /** `ssl_certificate` */
  readonly own: readonly Source[];
  /** `ssl_certificate_dir` */
  readonly found: readonly Source[];
  readonly ticketKeys: TicketKeyFiles;
  readonly serverName: string;
}

/** The certificates and ticket keys of servers with the same settings. */
export class CertificateSet {
  readonly options: ServerTlsOptions;
  readonly sources: CertificateSources;
  /** Number of renewals so far. */
  renewals = 0;
  #table: SniTable;
  /** Identifies the contents. */
  #state: string;

  constructor(options: ServerTlsOptions, sources: CertificateSources) {
    this.options = options;
    this.sources = sources;
    this.#table = tableOf(sources);
    this.#state = stateOf(sources);
  }

  get renewable(): RenewableMaterial {
    const { default: standard, names } = this.#table;
    return { default: standard.map(pair), names, ticketKeys: this.sources.ticketKeys.keys };
  }

  /** All certificates that clients can get. */
  get certificates(): readonly ServerCertificate[] {
    return [this.#table.default, ...this.#table.others.values()].flat();
  }

  /** @returns null if no name has that id any more */
  pairs(id: string): readonly KeyPair[] | null {
    return this.#table.others.get(id)?.map(pair) ?? null;
  }

  /** Takes the present contents of the sources. @returns true if they are different */
  renew(): boolean {
    const state = stateOf(this.sources);
    if (state === this.#state) return false;
    this.#state = state;
    this.renewals++;
    const table = tableOf(this.sources);
    // TLS needs a certificate, so the last ones stay if all are gone.
    if (table.default.length > 0) this.#table = table;
    return true;
  }
}

/** The findings of a poll. */
export interface Renewal extends PollReport {
  /** Indices of the sets that are different now. */
  readonly renewed: readonly number[];
}

export class CertificateStore {
  /** The next configuration takes unchanged sources over. */
  readonly sources: SourcesByName;
  /** By the index of the server's TLS in the settings. */
  readonly #sets: readonly CertificateSet[];
  readonly #clients: readonly ClientTlsOptions[];

  constructor(
    sources: SourcesByName,
    sets: readonly CertificateSet[],
    clients: readonly ClientTlsOptions[],
  ) {
    this.sources = sources;
    this.#sets = sets;
    this.#clients = clients;
  }

  get(index: number): CertificateSet | undefined {
    return this.#sets[index];
  }

  [Symbol.iterator](): Iterator<CertificateSet> {
    return this.#sets.values();
  }

  /** The present contents, for a worker. */
  get material(): TlsMaterial {
    return {
      servers: this.#sets.map(({ options, renewable }) => ({ options, renewable })),
      clients: this.#clients,
    };
  }

  /** All certificates that clients can get, each once. */
  get certificates(): readonly ServerCertificate[] {
    const all = this.#sets.flatMap((set) => set.certificates);
    return [...new Map(all.map((one) => [one.id, one])).values()];
  }

  /** Checks all files for changes, in steps. */
  *poll(): Generator<void, Renewal> {
    const report: PollReport = { changed: false, unsettled: false, errors: [] };
    const sources = this.#sets.flatMap(({ sources: { own, found, ticketKeys } }) => [
      ...own,
      ...found,
      ticketKeys,
    ]);
    for (const source of new Set(sources)) yield* source.poll(report);
    const renewed = report.changed
      ? [...this.#sets.keys()].filter((index) => this.#sets[index]?.renew())
      : [];
    return { ...report, renewed };
  }
}

function tableOf({ own, found, serverName }: CertificateSources): SniTable {
  return sniTable(certificatesOf(own), certificatesOf(found), serverName);
}

export function certificatesOf(sources: readonly Source[]): readonly ServerCertificate[] {
  return sources.flatMap(({ certificates }) => certificates);
}

function stateOf({ own, found, ticketKeys }: CertificateSources): string {
  const ids = certificatesOf([...own, ...found]).map(({ id }) => id);
  return [...ids, ...ticketKeys.keys.map((key) => Buffer.from(key).toString("base64"))].join(" ");
}

function pair({ certificate, key }: ServerCertificate): KeyPair {
  return { certificate, key };
}
