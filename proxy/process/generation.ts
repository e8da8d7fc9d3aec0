/** The workers of one configuration: started together, replaced when they die, drained together. */
import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import type { Settings } from "../config/index.ts";
import type { ErrorLog } from "../observe/index.ts";
import type { BoundSocket } from "../transport/index.ts";
import type { Identity } from "./identity.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import type { Sockets } from "./sockets.ts";

/** ms before a worker that died is replaced: at first, and at most while they keep dying. */
const RESPAWN_FIRST = 50;
const RESPAWN_SLOWEST = 5000;

/** ms that a worker lives before its death says nothing about the next one. */
const LONG_LIFE = 10_000;

/** What is the same for all workers, whatever the configuration says. */
export interface SharedByWorkers {
  readonly ticketKeys: Uint8Array;
  readonly identity: Identity | null;
}

/** The operator's own, if they have one. */
const OPENSSL_CONF =
  process.env["OPENSSL_CONF"] ?? fileURLToPath(new URL("openssl.cnf", import.meta.url));

export class Generation {
  readonly settings: Settings;
  readonly sockets: Sockets;
  readonly #log: ErrorLog;
  readonly #shared: SharedByWorkers;
  readonly #workers = new Set<Worker>();
  readonly #empty: () => void;
  #ending = false;
  #ready = 0;
  #started: () => void = () => {};
  #respawn = RESPAWN_FIRST;

  /** @param empty called when the last worker of an ending generation has gone */
  constructor(
    settings: Settings,
    sockets: Sockets,
    shared: SharedByWorkers,
    log: ErrorLog,
    empty: () => void,
  ) {
    this.settings = settings;
    this.sockets = sockets;
    this.#shared = shared;
    this.#log = log;
    this.#empty = empty;
  }

  get identity(): Identity | null {
    return this.#shared.identity;
  }

  /** @returns when as many workers as there are to be accept connections, whichever they are */
  start(): Promise<void> {
    for (let count = 0; count < this.settings.worker_processes; count++) this.#spawn();
    return new Promise((resolve) => {
      this.#started = resolve;
    });
  }

  /** No more workers, and those there are end when their sessions have. */
  drain(): void {
    this.#end({ kind: "drain" });
  }

  /** All sessions end now. */
  stop(): void {
    this.#end({ kind: "stop" });
  }

  kill(): void {
    for (const worker of this.#workers) worker.process.kill("SIGKILL");
  }

  tell(message: ToWorker): void {
    for (const worker of this.#workers) send(worker, message);
  }

  #end(how: ToWorker): void {
    this.#ending = true;
    this.#started();
    this.tell(how);
    if (this.#workers.size === 0) this.#empty();
  }

  #spawn(): void {
    const worker = cluster.fork({ OPENSSL_CONF });
    const began = performance.now();
    this.#workers.add(worker);
    // A worker that dies early breaks the channel under what we send; its exit says all.
    worker.on("error", () => {});
    worker.on("exit", (code, signal) => {
      this.#workers.delete(worker);
      this.#exited(worker, code, signal, performance.now() - began);
    });
    const { settings } = this;
    send(worker, { kind: "configure", settings, ...this.#shared });
    for (const [server, { listen: listens }] of settings.servers.entries()) {
      for (const [listen, address] of listens.entries()) {
        send(worker, { kind: "listen", server, listen }, this.sockets.get(address));
      }
    }
    worker.on("message", ({ kind }: FromWorker) => {
      if (kind !== "ready") return;
      this.#log.write("notice", `start worker process ${worker.process.pid}`);
      if (++this.#ready === this.settings.worker_processes) this.#started();
    });
  }

  /** @param lived ms */
  #exited(worker: Worker, code: number | null, signal: string | null, lived: number): void {
    const how = signal === null ? `exited with code ${code}` : `exited on signal ${signal}`;
    this.#log.write(
      this.#ending ? "notice" : "alert",
      `worker process ${worker.process.pid} ${how}`,
    );
    if (this.#ending) {
      if (this.#workers.size === 0) this.#empty();
      return;
    }
    const slower = Math.min(this.#respawn * 2, RESPAWN_SLOWEST);
    this.#respawn = lived > LONG_LIFE ? RESPAWN_FIRST : slower;
    setTimeout(() => {
      if (!this.#ending) this.#spawn();
    }, this.#respawn);
  }
}

/** cluster's types know net's handles only by classes; ours is one of those inside. */
function send(worker: Worker, message: ToWorker, socket?: BoundSocket): void {
  if (!worker.isConnected()) return;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as said above
  worker.process.send(message, socket as never, { keepOpen: true }, () => {});
}
