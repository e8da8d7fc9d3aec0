/**
 * The primary process: binds the listening sockets, keeps the workers alive, and obeys signals. It never
 * touches a client's byte, so that nothing a client sends can bring it down.
 */
import cluster, { type Worker } from "node:cluster";
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import type { Settings } from "../config/index.ts";
import { ErrorLog, Sinks } from "../observe/index.ts";
import { type BoundSocket, bind } from "../transport/index.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** ms before a worker that died is replaced: at first, and at most while they keep dying. */
const RESPAWN_FIRST = 50;
const RESPAWN_SLOWEST = 5000;

/** ms that a worker lives before its death says nothing about the next one. */
const LONG_LIFE = 10_000;

/** ms for workers to end after SIGTERM before they are killed, as nginx gives them. */
const KILL_AFTER = 1000;

interface Bound {
  readonly server: number;
  readonly listen: number;
  readonly socket: BoundSocket;
}

export class Primary {
  readonly #settings: Settings;
  readonly #log: ErrorLog;
  readonly #bound: readonly Bound[];
  readonly #ticketKeys = randomBytes(48);
  #phase: "running" | "draining" | "stopping" = "running";
  #respawn = RESPAWN_FIRST;

  /**
   * @param entry the module that workers run
   * @throws Error where a socket cannot be bound, or the pid file not written
   */
  constructor(settings: Settings, entry: string) {
    this.#settings = settings;
    this.#log = new ErrorLog(settings.error_log, new Sinks());
    this.#bound = bindAll(settings);
    if (settings.pid !== null) writeFileSync(settings.pid, `${process.pid}\n`);
    cluster.setupPrimary({ exec: entry, args: [], serialization: "advanced" });
    for (const notice of settings.notices) this.#log.write("notice", notice);
  }

  run(): void {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#stop());
    process.on("SIGQUIT", () => this.#drain());
    process.on("SIGHUP", () =>
      this.#log.write("warn", "reload on SIGHUP is not supported yet, ignored"),
    );
    for (let count = 0; count < this.#settings.worker_processes; count++) this.#spawn();
  }

  #spawn(): void {
    const worker = cluster.fork();
    const began = performance.now();
    send(worker, { kind: "configure", settings: this.#settings, ticketKeys: this.#ticketKeys });
    for (const { server, listen, socket } of this.#bound) {
      send(worker, { kind: "listen", server, listen }, socket);
    }
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "ready") {
        this.#log.write("notice", `start worker process ${worker.process.pid}`);
      }
    });
    worker.on("exit", (code, signal) =>
      this.#exited(worker, code, signal, performance.now() - began),
    );
  }

  /** @param lived ms */
  #exited(worker: Worker, code: number | null, signal: string | null, lived: number): void {
    const how = signal === null ? `exited with code ${code}` : `exited on signal ${signal}`;
    const expected = this.#phase !== "running";
    this.#log.write(expected ? "notice" : "alert", `worker process ${worker.process.pid} ${how}`);
    if (!expected) {
      this.#respawn =
        lived > LONG_LIFE ? RESPAWN_FIRST : Math.min(this.#respawn * 2, RESPAWN_SLOWEST);
      setTimeout(() => this.#phase === "running" && this.#spawn(), this.#respawn);
    } else if (Object.keys(cluster.workers ?? {}).length === 0) this.#exit();
  }

  #stop(): void {
    if (this.#phase === "stopping") return;
    this.#phase = "stopping";
    this.#end({ kind: "stop" });
    setTimeout(() => {
      for (const worker of workers()) worker.process.kill("SIGKILL");
    }, KILL_AFTER).unref();
  }

  #drain(): void {
    if (this.#phase !== "running") return;
    this.#phase = "draining";
    this.#log.write("notice", "gracefully shutting down");
    const limit = this.#settings.worker_shutdown_timeout;
    if (limit > 0) setTimeout(() => this.#stop(), limit).unref();
    this.#end({ kind: "drain" });
  }

  #end(how: ToWorker): void {
    for (const { socket } of this.#bound) if (this.#phase !== "running") socket.close();
    const alive = workers();
    for (const worker of alive) send(worker, how);
    if (alive.length === 0) this.#exit();
  }

  #exit(): void {
    if (this.#settings.pid !== null) rmSync(this.#settings.pid, { force: true });
    this.#log.write("notice", "exit");
    process.exit(0);
  }
}

/** @throws Error for the first that cannot be bound, with the others closed */
function bindAll(settings: Settings): readonly Bound[] {
  const bound: Bound[] = [];
  try {
    for (const [server, { listen: listens }] of settings.servers.entries()) {
      for (const [listen, address] of listens.entries()) {
        bound.push({ server, listen, socket: bind(address) });
      }
    }
  } catch (error) {
    for (const { socket } of bound) socket.close();
    throw error;
  }
  return bound;
}

function workers(): readonly Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
}

/** cluster's types know net's handles only by classes; ours is one of those inside. */
function send(worker: Worker, message: ToWorker, socket?: BoundSocket): void {
  if (!worker.isConnected()) return;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as said above
  worker.process.send(message, socket as never, { keepOpen: true });
}
