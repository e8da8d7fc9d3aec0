/** The pages at `status_listen`: readiness, and the metrics and sessions of all workers. */
import { formatAddress, unixPath } from "../../../shared/address.ts";
import type { Listen } from "../../config/index.ts";
import {
  RetiredCounts,
  type ErrorLog,
  type PrimaryMetrics,
  type Snapshot,
} from "../../observe/index.ts";
import { PageServer } from "../../observe/pages/page-server.ts";
import { statusPages } from "../../observe/pages/status-pages.ts";
import type { BoundSocket } from "../../transport/index.ts";
import type { Generations } from "./generations.ts";
import type { Sessions } from "../control/sessions.ts";

/** The sources of the pages. */
export interface StatusSources {
  readonly ready: () => boolean;
  readonly metrics: PrimaryMetrics;
  readonly generations: Generations;
  readonly sessions: Sessions;
  readonly log: () => ErrorLog;
}

export class Status {
  readonly #sources: StatusSources;
  readonly #retired = new RetiredCounts();
  #open: { readonly listen: Listen; readonly server: PageServer } | null = null;

  constructor(sources: StatusSources) {
    this.#sources = sources;
  }

  /** The address in use; null for none. */
  get listen(): Listen | null {
    return this.#open?.listen ?? null;
  }

  /** Serves the pages at an address. A server that is there already stays. */
  listenOn(listen: Listen | null, socket: BoundSocket | undefined): void {
    const before = this.listen;
    if (listen?.host === before?.host && listen?.port === before?.port) return;
    this.close();
    if (listen === null || socket === undefined) return;
    const failed = ({ message }: Error): void =>
      this.#sources.log().write("alert", `listen() to ${formatAddress(listen)}: ${message}`);
    const { ready, sessions } = this.#sources;
    const pages = statusPages({
      ready,
      metrics: () => this.#counts(),
      sessions: (silent) => sessions.list(silent),
    });
    this.#open = { listen, server: new PageServer(socket, listen.backlog, pages, failed) };
  }

  /** Leaves the address to other primaries. A unix socket stays open: closing one that was bound here removes its file. */
  leave(): void {
    if (this.listen !== null && unixPath(this.listen.host) === null) this.close();
  }

  close(): void {
    this.#open?.server.close();
    this.#open = null;
  }

  /** Adds the last counts of a worker that has gone. */
  retire(counts: Snapshot): void {
    this.#retired.add(counts);
  }

  async #counts(): Promise<string> {
    const { metrics, generations } = this.#sources;
    const own = metrics.snapshot();
    await generations.count();
    // Taken in one turn, so that a worker that ends meanwhile is counted once.
    const living = [...generations].flatMap(({ counts }) => counts);
    return this.#retired.expose([own, ...living]);
  }
}
