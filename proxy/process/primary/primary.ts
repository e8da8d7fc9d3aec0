/**
 * The primary process: binds the listening sockets, keeps the workers alive, and handles signals. It reads no byte
 * of a client, so that nothing a client sends can bring it down, unless `master_process` is off.
 */
import { flushCompileCache } from "node:module";
import type { LoadedSettings } from "../../certificates/index.ts";
import type { Identity } from "../../config/index.ts";
import { errorLines } from "../../config/runtime.ts";
import { ErrorLog, PrimaryMetrics, Sinks } from "../../observe/index.ts";
import { reason } from "../../reason.ts";
import { ControlSocket } from "../control/control-socket.ts";
import { controlPages } from "../control/pages.ts";
import { FleetLink } from "./fleet-link.ts";
import type { Generation, GenerationKind } from "./generation.ts";
import { Generations } from "./generations.ts";
import { compactHeapAtRest } from "../os/heap.ts";
import { callLater } from "./call-later.ts";
import { prepareLogFiles } from "../os/log-files.ts";
import { inherited, isDaemon } from "../os/launch-environment.ts";
import { movePid, removePid, writePid } from "../os/pid-file.ts";
import { prepare } from "./resources.ts";
import { Sessions } from "../control/sessions.ts";
import { handleSignals } from "../os/signals.ts";
import { ListeningSockets } from "./listening-sockets.ts";
import { atTerminalToo, logHints, startLines } from "./start-log.ts";
import { Status } from "./status.ts";
import { WorkerProcesses, setUpWorkerProcesses } from "./worker-processes.ts";
import { BinaryUpgrade } from "./binary-upgrade.ts";

/** ms for workers to end after SIGTERM before they are killed, as nginx gives them. */
const KILL_AFTER = 1000;

export class Primary {
  readonly #read: (before: LoadedSettings) => Promise<LoadedSettings>;
  /** `master_process off`: the primary is its own worker, and stays so in a reload. */
  readonly #alone: boolean;
  readonly #sinks = new Sinks((level, message) => this.#log.write(level, message));
  readonly #upgrade = new BinaryUpgrade(
    () => this.#log,
    () => this.#upgradeFailed(),
  );
  readonly #sockets = new ListeningSockets(this.#upgrade);
  readonly #generations: Generations;
  readonly #fleet: FleetLink;
  readonly #control: ControlSocket;
  readonly #status: Status;
  /** True while workers accept connections. */
  #ready = false;
  #log: ErrorLog;
  #reloading: Promise<void> = Promise.resolve();
  #phase: "running" | "draining" | "stopping" = "running";

  /**
   * @param read reads the configuration for a reload; throws where it is wrong
   * @param entry path of the module that workers run
   * @throws Error where a socket cannot be bound, or the pid file cannot be written
   */
  static async open(
    settings: LoadedSettings,
    read: (before: LoadedSettings) => Promise<LoadedSettings>,
    entry: string,
  ): Promise<Primary> {
    const { identity, warnings } = prepare(settings);
    setUpWorkerProcesses(entry);
    // Only a process that is its own worker loads what a worker needs.
    const kind = settings.master_process
      ? WorkerProcesses
      : (await import("./in-process.ts")).InProcess;
    const primary = new Primary(kind, settings, identity, read);
    await primary.#bind();
    primary.#handleSignals();
    primary.#listenForStatus();
    writePid(settings.pid);
    await primary.#control.listen(settings.pid);
    for (const line of startLines()) primary.#log.write("notice", line);
    logHints(primary.#log, settings, warnings);
    return primary;
  }

  private constructor(
    kind: GenerationKind,
    settings: LoadedSettings,
    identity: Identity | null,
    read: (before: LoadedSettings) => Promise<LoadedSettings>,
  ) {
    this.#read = read;
    this.#alone = !settings.master_process;
    this.#log = new ErrorLog(settings.error_log, this.#sinks);
    const log = (): ErrorLog => this.#log;
    this.#generations = new Generations(kind, settings, identity, this.#sockets, log, {
      gone: (counts) => this.#status.retire(counts),
      extinct: () => this.#exit(),
    });
    const sessions = new Sessions(this.#generations, log);
    this.#fleet = new FleetLink(this.#generations, sessions, log);
    this.#control = new ControlSocket(controlPages(sessions), log);
    this.#status = new Status({
      // The new primary of an upgrade serves clients on the same sockets.
      ready: () => (this.#ready && this.#phase === "running") || this.#upgrade.hasNew,
      metrics: new PrimaryMetrics(
        () => this.#settings,
        () => this.#fleet.line,
        () => this.#sinks.lost,
        this.#alone,
      ),
      generations: this.#generations,
      sessions,
      log,
    });
  }

  get #settings(): LoadedSettings {
    return this.#generations.current.settings;
  }

  async #bind(): Promise<void> {
    // The files of unix sockets are removed, however this process ends.
    process.on("exit", () => {
      this.#control.close();
      this.#sockets.close();
    });
    const settings = this.#settings;
    this.#sockets.inherit(inherited, settings, this.#log);
    await this.#sockets.bind(settings, atTerminalToo(this.#log, settings));
  }

  async run(): Promise<void> {
    await this.#serve(this.#generations.current);
    // The next command, such as `-s reload`, may come months before Node writes the cache at exit.
    flushCompileCache();
    if (!this.#alone) compactHeapAtRest(() => true);
  }

  #listenForStatus(): void {
    const { status_listen: listen } = this.#settings;
    this.#status.listenOn(listen, listen === null ? undefined : this.#sockets.get(listen));
  }

  /** Comes before the pid file, as a signal may come as soon as that is there. */
  #handleSignals(): void {
    // The sessions are worth more than a clean end. With `master_process off`, the worker handles faults.
    if (!this.#alone) {
      process.on("uncaughtException", ({ stack, message }) =>
        this.#log.write("alert", `fault: ${stack ?? message}`),
      );
    }
    handleSignals(() => this.#log, {
      SIGTERM: () => this.#stop(),
      SIGINT: () => this.#stop(),
      SIGQUIT: () => (this.#alone ? this.#stop() : this.#drain()),
      SIGUSR1: () => this.#reopen(),
      SIGHUP: () => this.#reload(),
      SIGUSR2: () => this.#upgradeLater(),
      // A terminal sends WINCH when its window changes size.
      ...(isDaemon && !this.#alone && { SIGWINCH: () => this.#retireWorkers() }),
    });
  }

  /** One reload follows the other, so that the last one reads what is in the files now. */
  #reload(): void {
    this.#reloading = this.#reloading.then(() =>
      this.#upgrade.hasNew ? this.#restartWorkers() : this.#reconfigure(),
    );
  }

  /** An upgrade waits for a reload, whose sockets are incomplete until it is done. */
  #upgradeLater(): void {
    this.#reloading = this.#reloading.then(() => this.#startUpgrade());
  }

  #startUpgrade(): void {
    if (this.#phase !== "running") return;
    if (this.#alone) this.#log.write("warn", "there is no master process, ignoring SIGUSR2");
    else this.#upgrade.start(this.#sockets.descriptors, this.#settings.pid);
    this.#moveControl();
  }

  /** The control socket stays beside our pid file, which an upgrade renames. */
  #moveControl(): void {
    void this.#control.listen(this.#upgrade.pidFile(this.#settings.pid));
  }

  /** The new primary has ended. Where the workers were retired for it, others serve again. */
  #upgradeFailed(): void {
    this.#moveControl();
    if (!this.#ready) this.#restartWorkers();
  }

  /** The configuration stays, since the files may hold the new primary's by now. */
  #restartWorkers(): void {
    if (this.#phase !== "running") return;
    this.#log.write("notice", "starting new workers without reading the configuration");
    const { settings, identity } = this.#generations.current;
    void this.#serve(this.#generations.begin(settings, identity));
  }

  async #reconfigure(): Promise<void> {
    this.#log.write("notice", "reconfiguring");
    try {
      const settings = await this.#read(this.#settings);
      if (this.#phase !== "running") return;
      const { identity, warnings } = prepare(settings);
      const log = new ErrorLog(settings.error_log, this.#sinks);
      await this.#sockets.bind(settings, this.#log);
      // Binding may have waited, and a signal may have come meanwhile.
      if (this.#phase !== "running") return;
      movePid(this.#settings.pid, settings.pid);
      this.#log = log;
      logHints(this.#log, settings, warnings);
      this.#generations.begin(settings, identity);
      this.#listenForStatus();
    } catch (error) {
      for (const line of errorLines(error)) this.#log.write("emerg", line);
      return;
    } finally {
      this.#closeUnused();
    }
    void this.#serve(this.#generations.current);
    await this.#control.listen(this.#settings.pid);
  }

  async #serve(generation: Generation): Promise<void> {
    if (!(await this.#generations.serve(generation))) return;
    this.#ready = true;
    this.#fleet.follow(this.#settings.fleet);
    this.#closeUnused();
  }

  /** Closes sockets of earlier generations, and those of a reload that has failed. */
  #closeUnused(): void {
    const { listens } = this.#generations;
    const { listen } = this.#status;
    this.#sockets.keep(listen === null ? listens : [...listens, listen]);
  }

  /** As nginx on WINCH: sessions go on, and no connection is accepted until the next reload. */
  #retireWorkers(): void {
    this.#ready = false;
    this.#generations.retireWorkers();
  }

  /** Opens the log files again, here and in the workers, after a rotation. */
  #reopen(): void {
    this.#log.write("notice", "reopening logs");
    const { settings, identity } = this.#generations.current;
    try {
      prepareLogFiles(settings, identity);
    } catch (error) {
      this.#log.write("emerg", reason(error));
      return;
    }
    this.#sinks.reopen();
    this.#generations.reopen();
  }

  #stop(): void {
    if (this.#phase === "stopping") return;
    this.#phase = "stopping";
    this.#control.close();
    this.#fleet.close();
    this.#endGenerations();
    this.#generations.stop();
    callLater(KILL_AFTER, () => this.#generations.kill());
  }

  /** Closes the sockets before the workers close theirs, so that no connection waits for a worker in vain. */
  #endGenerations(): void {
    this.#generations.end();
    this.#closeUnused();
  }

  #drain(): void {
    if (this.#phase !== "running") return;
    this.#phase = "draining";
    const { drain_delay } = this.#settings;
    // Another primary answers at the same address, which says that clients are served.
    if (this.#upgrade.isRunning) this.#status.leave();
    // With a new primary there is nothing to wait for: it listens on the same sockets.
    if (drain_delay === 0 || this.#upgrade.hasNew) this.#stopListening();
    else {
      this.#log.write(
        "notice",
        `not ready any more, accepting connections for another ${drain_delay}ms`,
      );
      callLater(drain_delay, () => this.#stopListening());
    }
  }

  #stopListening(): void {
    if (this.#phase !== "draining") return;
    this.#endGenerations();
    this.#generations.drain();
    callLater(this.#settings.worker_shutdown_timeout, () => this.#stop());
  }

  #exit(): void {
    removePid(this.#upgrade.pidFile(this.#settings.pid));
    this.#log.write("notice", "exit");
    process.exit(0);
  }
}
