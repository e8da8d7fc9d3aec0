/** The generation in service, and earlier generations whose sessions have not ended. */
import type { Identity, Listen } from "../../config/index.ts";
import { ConnectionCounts } from "../../limits/index.ts";
import type { ErrorLog, Snapshot } from "../../observe/index.ts";
import { type LineState, Revocations } from "../../revocation/index.ts";
import { clientListens } from "../ipc/bindings.ts";
import type { Generation, GenerationKind, GenerationListener } from "./generation.ts";
import { callLater } from "./call-later.ts";
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
  /** The revocations that the fleet has told of, for workers that start later. */
  readonly revocations = new Revocations("away");
  readonly #log: () => ErrorLog;
  readonly #listener: GenerationsListener;
  readonly #connections = new ConnectionCounts();
  readonly #ticketKeys = new RandomTicketKeys((keys) => {
    for (const generation of this.#all) generation.renewTickets(keys);
  });
  /** The current generation is the last. */
  readonly #all = new Set<Generation>();
  /** Generations that are to stay, and keep the sockets open. */
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

  /** The addresses of the generations that are to stay. */
  get listens(): readonly Listen[] {
    return [...this.#serving].flatMap(({ settings }) => clientListens(settings));
  }

  /** Makes the generation that takes the place of all others once it serves. */
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
      revocations: this.revocations,
      log: this.#log(),
      listener,
    });
    this.#all.add(generation);
    this.#serving.add(generation);
    this.#current = generation;
    return generation;
  }

  #empty(generation: Generation): void {
    // The current generation stays without workers after WINCH.
    if (!this.#ending && generation === this.#current) return;
    this.#all.delete(generation);
    if (this.#all.size === 0) this.#listener.extinct();
  }

  /**
   * Starts the workers of a generation. The old workers stop accepting once the new ones accept, so that no client
   * is refused. Where none of the new ones can serve, the old ones go on.
   *
   * @returns true where it serves
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

  /** Ends all workers after their sessions. No connection is accepted until the next generation. */
  retireWorkers(): void {
    for (const generation of this.#serving) {
      retire(generation);
      if (generation !== this.#current) this.#serving.delete(generation);
    }
  }

  lostKicks(): void {
    this.revocations.lost();
    for (const generation of this.#all) generation.lostKicks();
  }

  /** Workers hear of the line behind the kicks that came by it. */
  follow(line: LineState): void {
    if (line === this.revocations.line) return;
    this.revocations.line = line;
    for (const generation of this.#all) generation.follow(line);
  }

  reopen(): void {
    for (const generation of this.#all) generation.reopen();
  }

  /** Asks all workers for their counts. */
  async count(): Promise<void> {
    await Promise.all(Array.from(this.#all, (generation) => generation.count()));
  }

  /** No generation stays, and none keeps its sockets. */
  end(): void {
    this.#ending = true;
    this.#serving.clear();
  }

  drain(): void {
    for (const generation of this.#all) generation.drain();
  }

  stop(): void {
    for (const generation of this.#all) generation.stop();
  }

  kill(): void {
    for (const generation of this.#all) generation.kill();
  }
}

/** Ends the workers after their sessions, without replacements. */
function retire(generation: Generation): void {
  generation.drain();
  callLater(generation.settings.worker_shutdown_timeout, () => generation.stop());
}
