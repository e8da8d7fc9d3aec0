/** What the primary tells at `status_listen`: whether clients are welcome, and what all workers have counted. */
import { formatAddress, unixPath } from "../../../shared/address.ts";
import type { Listen } from "../../config/index.ts";
import {
  RetiredCounts,
  type ErrorLog,
  type PrimaryMetrics,
  type Snapshot,
} from "../../observe/index.ts";
import { PageServer } from "../../observe/page-server.ts";
import { statusPages } from "../../observe/status-pages.ts";
import type { BoundSocket } from "../../transport/index.ts";
import type { Generations } from "./generations.ts";
import type { Sessions } from "../control/sessions.ts";

/** What there is to tell of. */
export interface Told {
  readonly ready: () => boolean;
  readonly metrics: PrimaryMetrics;
  readonly generations: Generations;
  readonly sessions: Sessions;
  readonly log: () => ErrorLog;
}

export class Status {
  readonly #told: Told;
  /** What workers that have gone had counted. */
  readonly #retired = new RetiredCounts();
  #shown: { readonly listen: Listen; readonly server: PageServer } | null = null;

  constructor(told: Told) {
    this.#told = told;
  }

  /** Where it is shown; null for nowhere. */
  get listen(): Listen | null {
    return this.#shown?.listen ?? null;
  }

  /** Where it is shown already, it stays. */
  show(listen: Listen | null, socket: BoundSocket | undefined): void {
    const before = this.listen;
    if (listen?.host === before?.host && listen?.port === before?.port) return;
    this.hide();
    if (listen === null || socket === undefined) return;
    const failed = ({ message }: Error): void =>
      this.#told.log().write("alert", `listen() to ${formatAddress(listen)}: ${message}`);
    const { ready, sessions } = this.#told;
    const pages = statusPages({
      ready,
      metrics: () => this.#counts(),
      sessions: (silent) => sessions.list(silent),
    });
    this.#shown = { listen, server: new PageServer(socket, listen.backlog, pages, failed) };
  }

  /** Leaves it to others that have the socket. To close one of unix's that we have bound would take its file from them. */
  leave(): void {
    if (this.listen !== null && unixPath(this.listen.host) === null) this.hide();
  }

  hide(): void {
    this.#shown?.server.close();
    this.#shown = null;
  }

  /** A worker has gone. */
  gone(counts: Snapshot): void {
    this.#retired.add(counts);
  }

  async #counts(): Promise<string> {
    const { metrics, generations } = this.#told;
    const own = metrics.snapshot();
    await generations.count();
    // At one moment, so that a worker that ends meanwhile counts once.
    const living = [...generations].flatMap(({ counts }) => counts);
    return this.#retired.expose([own, ...living]);
  }
}
