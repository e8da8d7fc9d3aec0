/**
 * The primary process: binds the listening sockets, keeps the workers alive, and obeys signals. It never
 * touches a client's byte, so that nothing a client sends can bring it down.
 */
import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import type { Settings } from "../config/index.ts";
import { ErrorLog, Sinks } from "../observe/index.ts";
import { reason } from "../reason.ts";
import { version } from "../version.ts";
import { Generation } from "./generation.ts";
import { type Identity, workerIdentity } from "./identity.ts";
import { prepareLogFiles } from "./log-files.ts";
import { removePid, writePid } from "./pid-file.ts";
import { Sockets } from "./sockets.ts";

/** ms for workers to end after SIGTERM before they are killed, as nginx gives them. */
const KILL_AFTER = 1000;

export class Primary {
  readonly #read: () => Promise<Settings>;
  readonly #sinks = new Sinks();
  readonly #ticketKeys = randomBytes(48);
  /** Generations that still have workers, the current one last. */
  readonly #generations = new Set<Generation>();
  #log: ErrorLog;
  #current: Generation;
  #reloading: Promise<void> = Promise.resolve();
  #phase: "running" | "draining" | "stopping" = "running";

  /**
   * @param read reads the configuration again, for a reload; throws where it is wrong
   * @param entry the module that workers run
   * @throws Error where a socket cannot be bound, or the pid file not written
   */
  constructor(settings: Settings, read: () => Promise<Settings>, entry: string) {
    this.#read = read;
    const identity = workerIdentity(settings.user);
    prepareLogFiles(settings, identity);
    this.#log = new ErrorLog(settings.error_log, this.#sinks);
    const sockets = Sockets.bind(settings);
    this.#obey();
    writePid(settings.pid);
    cluster.setupPrimary({ exec: entry, args: [], serialization: "advanced" });
    this.#log.write("notice", `postern/${version} (as nginx/1.31.5)`);
    this.#current = this.#generation(settings, sockets, identity);
  }

  /** @returns when connections are being accepted */
  run(): Promise<void> {
    return this.#current.start();
  }

  /** Before the pid file is there: who finds it may signal at once. */
  #obey(): void {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#stop());
    process.on("SIGQUIT", () => this.#drain());
    process.on("SIGUSR1", () => this.#reopen());
    process.on("SIGHUP", () => this.#reload());
    process.on("SIGUSR2", () =>
      this.#log.write("warn", "a change of the program on SIGUSR2 is not supported yet, ignored"),
    );
  }

  #generation(settings: Settings, sockets: Sockets, identity: Identity | null): Generation {
    for (const notice of settings.notices) this.#log.write("notice", notice);
    const shared = { ticketKeys: this.#ticketKeys, identity };
    const generation = new Generation(settings, sockets, shared, this.#log, () => {
      this.#generations.delete(generation);
      if (this.#generations.size === 0) this.#exit();
    });
    this.#generations.add(generation);
    return generation;
  }

  /** One reload after the other, so that the last one has read what is there now. */
  #reload(): void {
    this.#log.write("notice", "signal 1 (SIGHUP) received, reconfiguring");
    this.#reloading = this.#reloading.then(() => this.#reconfigure());
  }

  async #reconfigure(): Promise<void> {
    const before = this.#current;
    try {
      const settings = await this.#read();
      if (this.#phase !== "running") return;
      const identity = workerIdentity(settings.user);
      prepareLogFiles(settings, identity);
      const log = new ErrorLog(settings.error_log, this.#sinks);
      const sockets = Sockets.bind(settings, before.sockets);
      movePid(before, settings, sockets);
      this.#log = log;
      this.#current = this.#generation(settings, sockets, identity);
    } catch (error) {
      this.#log.write("emerg", reason(error));
      return;
    }
    void this.#replace(before, this.#current);
  }

  /** New workers first; the old ones stop accepting once those do, so that nobody is refused. */
  async #replace(before: Generation, after: Generation): Promise<void> {
    await after.start();
    before.drain();
    before.sockets.close(after.sockets);
    limit(before.settings.worker_shutdown_timeout, () => before.stop());
  }

  /** After a rotation: everybody opens their log files anew. */
  #reopen(): void {
    this.#log.write("notice", "signal 10 (SIGUSR1) received, reopening logs");
    const { settings, identity } = this.#current;
    try {
      prepareLogFiles(settings, identity);
    } catch (error) {
      this.#log.write("emerg", reason(error));
      return;
    }
    this.#sinks.reopen();
    for (const generation of this.#generations) generation.tell({ kind: "reopen" });
  }

  #stop(): void {
    if (this.#phase === "stopping") return;
    this.#phase = "stopping";
    this.#current.sockets.close();
    for (const generation of this.#generations) generation.stop();
    limit(KILL_AFTER, () => {
      for (const generation of this.#generations) generation.kill();
    });
  }

  #drain(): void {
    if (this.#phase !== "running") return;
    this.#phase = "draining";
    this.#log.write("notice", "gracefully shutting down");
    this.#current.sockets.close();
    for (const generation of this.#generations) generation.drain();
    limit(this.#current.settings.worker_shutdown_timeout, () => this.#stop());
  }

  #exit(): void {
    removePid(this.#current.settings.pid);
    this.#log.write("notice", "exit");
    process.exit(0);
  }
}

/** @param ms 0 for never */
function limit(ms: number, then: () => void): void {
  if (ms > 0) setTimeout(then, ms).unref();
}

/** @throws Error where the new file cannot be written, with the sockets that only the new settings have closed */
function movePid(before: Generation, { pid }: Settings, sockets: Sockets): void {
  if (pid === before.settings.pid) return;
  try {
    writePid(pid);
  } catch (error) {
    sockets.close(before.sockets);
    throw error;
  }
  removePid(before.settings.pid);
}
