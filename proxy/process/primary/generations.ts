/** All that have workers: the generation that is to serve, and those before it whose sessions have not ended. */
import type { Identity, Listen, Settings } from "../../config/index.ts";
import { ConnectionCounts } from "../../limits/index.ts";
import type { ErrorLog, Snapshot } from "../../observe/index.ts";
import { clientListens } from "../ipc/bindings.ts";
import type { Generation, Survivor } from "./generation.ts";
import { InProcess } from "./in-process.ts";
import { limit } from "./timer.ts";
import { OwnTicketKeys } from "../../certificates/index.ts";
import type { Sockets } from "./listening-sockets.ts";
import { WorkerProcesses } from "./worker-processes.ts";

/** Who hears of their workers. */
export interface Owner {
  /** The log that there is when something happens. */
  readonly log: () => ErrorLog;
  /** A worker has gone; what it had counted. */
  gone(counts: Snapshot): void;
  /** The last of all has gone, after `drain` or `stop`. */
  extinct(): void;
}

export class Generations implements Iterable<Generation> {
  /** Whether the one worker is this very process (`master_process off`). */
  readonly #alone: boolean;
  readonly #sockets: Sockets;
  readonly #owner: Owner;
  readonly #connections = new ConnectionCounts();
  readonly #ticketKeys = new OwnTicketKeys((keys) => {
    for (const generation of this.#all) generation.renewTickets(keys);
  });
  /** The current one comes last. */
  readonly #all = new Set<Generation>();
  /** Those of them that are to stay: the sockets are theirs. */
  readonly #serving = new Set<Generation>();
  #current: Generation;
  #ending = false;

  constructor(settings: Settings, identity: Identity | null, sockets: Sockets, owner: Owner) {
    this.#alone = !settings.master_process;
    this.#sockets = sockets;
    this.#owner = owner;
    this.#current = this.begin(settings, identity);
  }

  [Symbol.iterator](): Iterator<Generation> {
    return this.#all.values();
  }

  get current(): Generation {
    return this.#current;
  }

  /** What those that are to stay listen on. */
  get listens(): readonly Listen[] {
    return [...this.#serving].flatMap(({ settings }) => clientListens(settings));
  }

  /** One that is to take the place of all others, once it serves. */
  begin(settings: Settings, identity: Identity | null): Generation {
    const shared = { ticketKeys: this.#ticketKeys, identity };
    const survivor: Survivor = {
      empty: () => this.#empty(generation),
      gone: (counts) => this.#owner.gone(counts),
    };
    const generation = this.#alone
      ? new InProcess(settings, this.#sockets, shared, this.#connections, survivor)
      : new WorkerProcesses(
          settings,
          this.#sockets,
          shared,
          this.#connections,
          this.#owner.log(),
          survivor,
        );
    this.#all.add(generation);
    this.#serving.add(generation);
    this.#current = generation;
    return generation;
  }

  #empty(generation: Generation): void {
    // One that has fallen silent goes on without workers.
    if (!this.#ending && generation === this.#current) return;
    this.#all.delete(generation);
    if (this.#all.size === 0) this.#owner.extinct();
  }

  /**
   * New workers first; the old ones stop accepting once those do, so that nobody is refused. Where none of
   * the new ones can serve, the old ones go on.
   *
   * @returns whether it serves
   */
  async serve(after: Generation): Promise<boolean> {
    if (!(await after.start())) return false;
    for (const before of this.#all) {
      if (before === after) break;
      retire(before);
      this.#serving.delete(before);
    }
    return true;
  }

  /** Until the next one begins, nobody is served but those who are. */
  fallSilent(): void {
    for (const generation of this.#serving) {
      retire(generation);
      if (generation !== this.#current) this.#serving.delete(generation);
    }
  }

  /** What others have said is no longer believed by any of them. */
  forget(): void {
    for (const generation of this.#all) generation.forget();
  }

  reopen(): void {
    for (const generation of this.#all) generation.reopen();
  }

  /** Asks all workers what they have counted. */
  async count(): Promise<void> {
    await Promise.all(Array.from(this.#all, (generation) => generation.count()));
  }

  drain(): void {
    this.#end();
    for (const generation of this.#all) generation.drain();
  }

  stop(): void {
    this.#end();
    for (const generation of this.#all) generation.stop();
  }

  kill(): void {
    for (const generation of this.#all) generation.kill();
  }

  #end(): void {
    this.#ending = true;
    this.#serving.clear();
  }
}

/** Its workers end with their sessions, and nobody takes their place. */
function retire(generation: Generation): void {
  generation.drain();
  limit(generation.settings.worker_shutdown_timeout, () => generation.stop());
}
