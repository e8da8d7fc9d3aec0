/** A worker process as the primary speaks to it: messages, and questions, to which it may keep silent. */
import type { Worker } from "node:cluster";
import type { ByteString } from "../../../shared/lookup.ts";
import type { Snapshot } from "../../observe/index.ts";
import type { BoundSocket } from "../../transport/index.ts";
import { type Asked, NO_SESSIONS, type SessionsPage } from "./generation.ts";
import type { FromWorker, ToWorker } from "../ipc/messages.ts";
import { Questions } from "../ipc/pending-requests.ts";

/** ms to tell what has been counted; of a worker that is too busy, what it said last has to do. */
const COUNTING = 2000;

export class RemoteWorker implements Asked {
  /** What it had counted when it said so last. */
  counts: Snapshot = [];
  readonly #worker: Worker;
  readonly #counting = new Questions<Snapshot>(COUNTING);
  readonly #kicks = new Questions<number>();
  readonly #pages = new Questions<SessionsPage>();

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  kick(user: ByteString): Promise<number | null> {
    return this.#kicks.ask((question) => send(this.#worker, { kind: "kick", question, user }));
  }

  page(after: number): Promise<SessionsPage | null> {
    return this.#pages.ask((question) => send(this.#worker, { kind: "page", question, after }));
  }

  /** Has it tell what it has counted. */
  async count(): Promise<void> {
    await this.#counting.ask((question) => send(this.#worker, { kind: "count", question }));
  }

  answered(message: FromWorker & { kind: "counted" | "kicked" | "page" }): void {
    switch (message.kind) {
      case "counted":
        this.counts = message.counts;
        if (message.question !== null) this.#counting.answered(message.question, message.counts);
        break;
      case "kicked":
        this.#kicks.answered(message.question, message.ended);
        break;
      case "page":
        this.#pages.answered(message.question, message.page);
        break;
    }
  }

  /** With all of its sessions. */
  gone(): void {
    this.#counting.gone(this.counts);
    this.#kicks.gone(0);
    this.#pages.gone(NO_SESSIONS);
  }
}

/** cluster's types know net's handles only by classes; ours is one of those inside. */
export function send(worker: Worker, message: ToWorker, socket?: BoundSocket): void {
  if (!worker.isConnected()) return;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as said above
  worker.process.send(message, socket as never, { keepOpen: true }, () => {});
}
