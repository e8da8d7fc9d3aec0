/** A worker process as the primary speaks to it: messages, and questions about its sessions. */
import type { Worker } from "node:cluster";
import type { ByteString } from "../../shared/lookup.ts";
import type { BoundSocket } from "../transport/index.ts";
import { type Asked, NO_SESSIONS, type SessionsPage } from "./generation.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { Questions } from "./questions.ts";

export class RemoteWorker implements Asked {
  readonly #worker: Worker;
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

  answered(message: FromWorker & { kind: "kicked" | "page" }): void {
    if (message.kind === "kicked") this.#kicks.answered(message.question, message.ended);
    else this.#pages.answered(message.question, message.page);
  }

  /** With all of its sessions. */
  gone(): void {
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
