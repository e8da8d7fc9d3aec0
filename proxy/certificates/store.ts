/**
 * What servers need of files that are renewed while they run: certificates with their keys, and ticket keys. The
 * files are read with the configuration; the primary process looks at them again, and tells the workers.
 */
import type { NamedSources } from "./sources/named-sources.ts";
import type { Certified } from "./files/certificate.ts";
import { type Choice, choose } from "./sni.ts";
import type { Report } from "./sources/file-change.ts";
import type { KeyPair } from "./files/key-pairs.ts";
import type { Source } from "./sources/source.ts";
import type { TicketKeyFiles } from "./sources/ticket-key-files.ts";

/** What a worker has of it. */
export interface Shown {
  /** To clients that name none of the others; one for each type of key. */
  readonly standard: readonly KeyPair[];
  /** By host name or `*.` pattern, the id of what else is shown, or nothing for the standard. */
  readonly names: ReadonlyMap<string, string>;
  /** 48 bytes each; the first encrypts, all decrypt; empty for the process's own. */
  readonly ticketKeys: readonly Uint8Array[];
}

export interface Sources {
  readonly own: readonly Source[];
  readonly found: readonly Source[];
  readonly ticketKeys: TicketKeyFiles;
  readonly serverName: string;
}

/** Of servers that say the same. */
export class KeyMaterial {
  readonly sources: Sources;
  /** How often it has become something else. */
  renewals = 0;
  #choice: Choice;
  /** Tells one state from another. */
  #state: string;

  constructor(sources: Sources) {
    this.sources = sources;
    this.#choice = chosen(sources);
    this.#state = state(sources);
  }

  get shown(): Shown {
    const { standard, names } = this.#choice;
    return { standard: standard.map(pair), names, ticketKeys: this.sources.ticketKeys.keys };
  }

  get certified(): readonly Certified[] {
    return [this.#choice.standard, ...this.#choice.others.values()].flat();
  }

  /** @returns null for what is shown no longer */
  pairs(id: string): readonly KeyPair[] | null {
    return this.#choice.others.get(id)?.map(pair) ?? null;
  }

  /** Takes what the sources have now. @returns whether it is something else */
  renew(): boolean {
    const now = state(this.sources);
    if (now === this.#state) return false;
    this.#state = now;
    this.renewals++;
    const choice = chosen(this.sources);
    // Without any there would be no TLS.
    if (choice.standard.length > 0) this.#choice = choice;
    return true;
  }
}

/** What a look has come to. */
export interface News extends Report {
  /** The indices of what is something else now. */
  readonly renewed: readonly number[];
}

/** Of all servers; settings name each by its index. */
export class KeyMaterials {
  /** What the next configuration may take over. */
  readonly named: NamedSources;
  readonly #all: KeyMaterial[] = [];

  constructor(named: NamedSources) {
    this.named = named;
  }

  get(index: number): KeyMaterial | undefined {
    return this.#all[index];
  }

  [Symbol.iterator](): Iterator<KeyMaterial> {
    return this.#all.values();
  }

  /** @returns its index */
  add(material: KeyMaterial): number {
    return this.#all.push(material) - 1;
  }

  /** Each certificate that clients may be shown. */
  get certified(): readonly Certified[] {
    const all = this.#all.flatMap((material) => material.certified);
    return [...new Map(all.map((one) => [one.id, one])).values()];
  }

  /** Looks at all files, a step at a time. */
  *look(): Generator<void, News> {
    const report: Report = { changed: false, changing: false, refused: [] };
    const sources = this.#all.flatMap(({ sources: { own, found, ticketKeys } }) => [
      ...own,
      ...found,
      ticketKeys,
    ]);
    for (const source of new Set(sources)) yield* source.look(report);
    const renewed = report.changed
      ? [...this.#all.keys()].filter((index) => this.#all[index]?.renew())
      : [];
    return { ...report, renewed };
  }
}

function chosen({ own, found, serverName }: Sources): Choice {
  return choose(certifiedIn(own), certifiedIn(found), serverName);
}

function certifiedIn(sources: readonly Source[]): readonly Certified[] {
  return sources.flatMap(({ certified }) => certified);
}

function state({ own, found, ticketKeys }: Sources): string {
  const ids = certifiedIn([...own, ...found]).map(({ id }) => id);
  return [...ids, ...ticketKeys.keys.map((key) => Buffer.from(key).toString("base64"))].join(" ");
}

function pair({ certificate, key }: Certified): KeyPair {
  return { certificate, key };
}
