/** A worker process, as the primary process calls it. */
import type { Worker } from "node:cluster";
import type { Snapshot } from "../../observe/index.ts";
import type { Kick } from "../../revocation/index.ts";
import type { WorkerSessions } from "../control/sessions.ts";
import {
  NO_SESSIONS,
  type PrimaryCalls,
  type SessionsPage,
  type WorkerCalls,
} from "../ipc/calls.ts";
import { Channel } from "../ipc/channel.ts";

/** ms for a reply. A worker that has just been started loads its code first. */
const PATIENCE = 10_000;

/** ms for counts. The last counts stand in for those of a worker that is too busy. */
const COUNT_PATIENCE = 2000;

type WorkerChannel = Channel<PrimaryCalls, WorkerCalls>;

export class RemoteWorker implements WorkerSessions {
  /** The counts that the worker has sent last. */
  counts: Snapshot = [];
  readonly send: WorkerChannel["send"];
  readonly #worker: Worker;
  readonly #channel: WorkerChannel;
  #exited = false;

  /** @param calls what the worker may ask for */
  constructor(worker: Worker, calls: Omit<PrimaryCalls, "counted">) {
    this.#worker = worker;
    const channel: WorkerChannel = new Channel(
      (message, socket) => {
        if (!worker.isConnected()) return;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a handle inside a class of net's that the types know
        worker.process.send(message, socket as never, { keepOpen: true }, () => {});
      },
      { ...calls, counted: (counts) => (this.counts = counts) },
    );
    this.#channel = channel;
    this.send = (...call) => channel.send(...call);
    worker.on("message", (...received: Parameters<WorkerChannel["receive"]>) =>
      channel.receive(...received),
    );
    // A worker that dies early breaks the channel under messages on their way. Its exit is reported.
    worker.on("error", () => {});
    worker.on("exit", () => this.#exit());
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }

  async kick(kicks: readonly Kick[]): Promise<readonly number[] | null> {
    const ended = await this.#channel.request("kick", [kicks], PATIENCE);
    return ended ?? (this.#exited ? [] : null);
  }

  async page(after: number): Promise<SessionsPage | null> {
    const page = await this.#channel.request("page", [after], PATIENCE);
    return page ?? (this.#exited ? NO_SESSIONS : null);
  }

  /** Updates the counts. */
  async count(): Promise<void> {
    const counts = await this.#channel.request("count", [], COUNT_PATIENCE);
    if (counts !== undefined) this.counts = counts;
  }

  #exit(): void {
    this.#exited = true;
    this.#channel.close();
  }
}
