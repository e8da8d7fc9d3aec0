/** `master_process off`: a generation whose one worker is the primary process itself, for development as in nginx. */
import type { Listen } from "../../config/index.ts";
import { WorkerCounts } from "../../limits/index.ts";
import {
  type BoundSocket,
  type Connection,
  type TicketKeys,
  accept,
} from "../../transport/index.ts";
import type { LineState } from "../../revocation/index.ts";
import type { Snapshot } from "../../observe/index.ts";
import { bindings } from "../ipc/bindings.ts";
import type { WorkerSessions } from "../control/sessions.ts";
import type { Generation, GenerationContext, GenerationListener } from "./generation.ts";
import type { LoadedSettings } from "../../certificates/index.ts";
import { CertificateWatch } from "../../certificates/watch.ts";
import type { ListeningSockets } from "./listening-sockets.ts";
import { LAST_WORDS, Worker } from "../worker/worker.ts";

/** Receives the connections of a socket. A process accepts from a socket once, so the next generation replaces the entry. */
const acceptors = new WeakMap<BoundSocket, (client: Connection) => void>();

export class InProcess implements Generation {
  readonly settings: LoadedSettings;
  readonly #sockets: ListeningSockets;
  readonly identity = null;
  readonly #worker: Worker;
  readonly #listener: GenerationListener;
  #counted: Snapshot = [];
  #ended = false;
  #watch: CertificateWatch | null = null;
  readonly #fault = (error: Error): void => this.#worker.fault(error);

  constructor(
    settings: LoadedSettings,
    { sockets, ticketKeys, connections, revocations, listener }: GenerationContext,
  ) {
    this.settings = settings;
    this.#sockets = sockets;
    this.#listener = listener;
    this.#worker = new Worker(
      settings,
      {
        ticketKeys: ticketKeys.current,
        tls: settings.certificates.material,
        pairs: async (server, id) => settings.certificates.get(server)?.pairs(id) ?? null,
        revocations: revocations.state,
        limiter: new WorkerCounts(connections),
        sendSockets() {},
      },
      () => this.#end(),
    );
  }

  start(): Promise<boolean> {
    process.on("uncaughtException", this.#fault);
    const { certificates } = this.settings;
    this.#watch = new CertificateWatch(certificates, this.#worker.log, (server) =>
      this.#renewed(server),
    );
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

  get workers(): readonly WorkerSessions[] {
    const worker = this.#worker;
    return [
      {
        pid: process.pid,
        kick: (kicks) => Promise.resolve(worker.kick(kicks)),
        page: (after) => Promise.resolve(worker.page(after)),
      },
    ];
  }

  lostKicks(): void {
    this.#worker.lostKicks();
  }

  follow(line: LineState): void {
    this.#worker.follow(line);
  }

  reopen(): void {
    this.#worker.reopen();
  }

  #renewed(server: number): void {
    const renewable = this.settings.certificates.get(server)?.renewable;
    if (renewable !== undefined) this.#worker.renew(server, renewable);
  }

  #accept(index: number, listen: Listen, socket: BoundSocket): void {
    const accepted = acceptors.has(socket);
    acceptors.set(socket, (client) => this.#worker.accept(index, client));
    if (accepted) return;
    accept(
      socket,
      listen,
      (client) => acceptors.get(socket)?.(client),
      (error) => this.#worker.listenFailed(index, error),
    );
  }

  /** A worker may be idle and then stopped, but ends once. */
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
