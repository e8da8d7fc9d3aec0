/** All that have workers: the generation that is to serve, and those before it whose sessions have not ended. */
import type { Identity, Listen } from "../../config/index.ts";
import { ConnectionCounts } from "../../limits/index.ts";
import type { ErrorLog, Snapshot } from "../../observe/index.ts";
import { clientListens } from "../ipc/bindings.ts";
import type { Generation, GenerationKind, GenerationListener } from "./generation.ts";
import { limit } from "./timer.ts";
import type { LoadedSettings } from "../../certificates/index.ts";
import { RandomTicketKeys } from "../../certificates/random-ticket-keys.ts";
import type { ListeningSockets } from "./listening-sockets.ts";

/** Hears of the ends of all generations' workers. */
export interface GenerationsListener {
  /** A worker has gone; what it had counted. */
  gone(counts: Snapshot): void;
  /** The last worker of all has gone, after `drain` or `stop`. */
  extinct(): void;
}

export class Generations implements Iterable<Generation> {
  readonly #kind: GenerationKind;
  readonly #sockets: ListeningSockets;
  readonly #log: () => ErrorLog;
  readonly #listener: GenerationsListener;
  readonly #connections = new ConnectionCounts();
  readonly #ticketKeys = new RandomTicketKeys((keys) => {
    for (const generation of this.#all) generation.renewTickets(keys);
  });
  /** The current one comes last. */
  readonly #all = new Set<Generation>();
  /** Those of them that are to stay: the sockets are theirs. */
  readonly #serving = new Set<Generation>();
  #current: Generation;
  #ending = false;

  /** @param log returns the log in force */
  constructor(
    kind: GenerationKind,
    settings: LoadedSettings,
    identity: Identity | null,
    sockets: ListeningSockets,
    log: () => ErrorLog,
    listener: GenerationsListener,
  ) {
    this.#kind = kind;
    this.#sockets = sockets;
    this.#log = log;
    this.#listener = listener;
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
  begin(settings: LoadedSettings, identity: Identity | null): Generation {
    const listener: GenerationListener = {
      empty: () => this.#empty(generation),
      gone: (counts) => this.#listener.gone(counts),
    };
    const generation = new this.#kind(settings, {
      sockets: this.#sockets,
      ticketKeys: this.#ticketKeys,
      identity,
      connections: this.#connections,
      log: this.#log(),
      listener,
    });
    this.#all.add(generation);
    this.#serving.add(generation);
    this.#current = generation;
    return generation;
  }

  #empty(generation: Generation): void {
    // One that has fallen silent goes on without workers.
    if (!this.#ending && generation === this.#current) return;
    this.#all.delete(generation);
    if (this.#all.size === 0) this.#listener.extinct();
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
