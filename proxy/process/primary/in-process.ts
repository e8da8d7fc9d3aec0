/** `master_process off`: a generation whose one worker is this very process, for development, as in nginx. */
import type { Listen, Settings } from "../../config/index.ts";
import {
  type BoundSocket,
  type Connection,
  type TicketKeys,
  accept,
} from "../../transport/index.ts";
import type { Snapshot } from "../../observe/index.ts";
import { bindings } from "../ipc/bindings.ts";
import type { Asked, Generation, GenerationContext, GenerationListener } from "./generation.ts";
import { KeyWatch } from "../../certificates/watch.ts";
import type { ListeningSockets } from "./listening-sockets.ts";
import { LAST_WORDS, Worker } from "../worker/worker.ts";

/** Who takes a socket's connections. A process can accept from one only once, so the next generation steps in here. */
const takers = new WeakMap<BoundSocket, (client: Connection) => void>();

export class InProcess implements Generation {
  readonly settings: Settings;
  readonly #sockets: ListeningSockets;
  readonly identity = null;
  readonly #worker: Worker;
  readonly #listener: GenerationListener;
  #counted: Snapshot = [];
  #ended = false;
  #watch: KeyWatch | null = null;
  readonly #fault = (error: Error): void => this.#worker.fault(error);

  constructor(
    settings: Settings,
    { sockets, ticketKeys, connections, listener }: GenerationContext,
  ) {
    this.settings = settings;
    this.#sockets = sockets;
    this.#listener = listener;
    this.#worker = new Worker(
      settings,
      {
        ticketKeys: ticketKeys.current,
        pairs: async (material, id) => settings.keyMaterials.get(material)?.pairs(id) ?? null,
        limiter: connections.worker(),
        reopen() {},
      },
      () => this.#end(),
    );
    for (const material of [...settings.keyMaterials].keys()) this.#show(material);
  }

  start(): Promise<boolean> {
    process.on("uncaughtException", this.#fault);
    const { keyMaterials } = this.settings;
    this.#watch = new KeyWatch(keyMaterials, this.#worker.log, (material) => this.#show(material));
    for (const [index, { own }] of bindings(this.settings).entries()) {
      const socket = this.#sockets.get(own.listen);
      if (socket !== undefined) this.#accept(index, own.listen, socket);
    }
    return Promise.resolve(true);
  }

  drain(): void {
    this.#watch?.close();
    this.#worker.drain();
  }

  stop(): void {
    this.#watch?.close();
    this.#worker.stop();
    this.#end();
  }

  kill(): void {
    this.#listener.empty();
  }

  renewTickets(keys: TicketKeys): void {
    this.#worker.renewTickets(keys);
  }

  async count(): Promise<void> {
    this.#counted = this.#worker.counts();
  }

  get counts(): readonly Snapshot[] {
    return [this.#counted];
  }

  get workers(): readonly Asked[] {
    const worker = this.#worker;
    return [
      {
        pid: process.pid,
        kick: (user) => Promise.resolve(worker.kick(user)),
        page: (after) => Promise.resolve(worker.page(after)),
      },
    ];
  }

  forget(): void {
    this.#worker.forget();
  }

  reopen(): void {
    this.#worker.reopen();
  }

  #show(material: number): void {
    const shown = this.settings.keyMaterials.get(material)?.shown;
    if (shown !== undefined) this.#worker.show(material, shown);
  }

  #accept(index: number, listen: Listen, socket: BoundSocket): void {
    const accepted = takers.has(socket);
    takers.set(socket, (client) => this.#worker.take(index, client));
    if (accepted) return;
    accept(
      socket,
      listen,
      (client) => takers.get(socket)?.(client),
      (error) => this.#worker.deaf(index, error),
    );
  }

  /** Idle, and then stopped, it has ended once. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    process.off("uncaughtException", this.#fault);
    setTimeout(() => void this.#leave(), LAST_WORDS);
  }

  async #leave(): Promise<void> {
    await this.count();
    this.#listener.gone(this.#counted);
    this.#listener.empty();
  }
}
