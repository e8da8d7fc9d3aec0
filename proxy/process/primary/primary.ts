/**
 * The primary process: binds the listening sockets, keeps the workers alive, and obeys signals. It never
 * touches a client's byte, so that nothing a client sends can bring it down, but for `master_process off`.
 */
import cluster from "node:cluster";
import { flushCompileCache } from "node:module";
import type { LoadedSettings } from "../../certificates/index.ts";
import type { Identity } from "../../config/index.ts";
import { errorLines } from "../../config/runtime.ts";
import { ErrorLog, PrimaryMetrics, Sinks } from "../../observe/index.ts";
import { reason } from "../../reason.ts";
import { say } from "../../report.ts";
import { ControlSocket } from "../control/control-socket.ts";
import { controlPages } from "../control/pages.ts";
import { FleetLine } from "./fleet-link.ts";
import type { Generation, GenerationKind } from "./generation.ts";
import { Generations } from "./generations.ts";
import { compactHeapAtRest } from "../os/heap.ts";
import { workerIdentity } from "../os/identity.ts";
import { limit } from "./timer.ts";
import { prepareLogFiles } from "../os/log-files.ts";
import { inherited, isDaemon } from "../os/launch-environment.ts";
import { movePid, removePid, writePid } from "../os/pid-file.ts";
import { checkResources } from "../os/limits.ts";
import { Sessions } from "../control/sessions.ts";
import { obey } from "../os/signals.ts";
import { ListeningSockets } from "./listening-sockets.ts";
import { startLines } from "./start-lines.ts";
import { Status } from "./status.ts";
import { WorkerProcesses } from "./worker-processes.ts";
import { Succession } from "./binary-upgrade.ts";

/** ms for workers to end after SIGTERM before they are killed, as nginx gives them. */
const KILL_AFTER = 1000;

/**
 * MiB of each half of a worker's young generation. V8 would let it grow to 16 while many log in, and keep it
 * so: as much memory as thousands of idle sessions need, for no time that a login would save.
 */
const YOUNG_GENERATION = "--max-semi-space-size=4";

/** ms, the most that a timer takes. */
const LONGEST_INTERVAL = 2 ** 31 - 1;

export class Primary {
  readonly #read: (before: LoadedSettings) => Promise<LoadedSettings>;
  /** `master_process off`: it is its own worker, whatever a reload says. */
  readonly #alone: boolean;
  readonly #sinks = new Sinks((level, message) => this.#log.write(level, message));
  readonly #succession = new Succession(
    () => this.#log,
    () => this.#afterSuccessor(),
  );
  readonly #sockets = new ListeningSockets(this.#succession);
  readonly #generations: Generations;
  readonly #fleet: FleetLine;
  readonly #control: ControlSocket;
  readonly #status: Status;
  /** Whether workers accept connections. */
  #ready = false;
  #log: ErrorLog;
  #reloading: Promise<void> = Promise.resolve();
  #phase: "running" | "draining" | "stopping" = "running";

  /**
   * @param read reads the configuration again, for a reload, beside the one in force; throws where it is wrong
   * @param entry the module that workers run
   * @throws Error where a socket cannot be bound, or the pid file not written
   */
  static async open(
    settings: LoadedSettings,
    read: (before: LoadedSettings) => Promise<LoadedSettings>,
    entry: string,
  ): Promise<Primary> {
    const identity = workerIdentity(settings);
    const warnings = checkResources(settings);
    prepareLogFiles(settings, identity);
    const execArgv = [...process.execArgv, YOUNG_GENERATION];
    cluster.setupPrimary({ exec: entry, args: [], execArgv, serialization: "advanced" });
    // Only a process that is its own worker loads what a worker needs.
    const kind = settings.master_process
      ? WorkerProcesses
      : (await import("./in-process.ts")).InProcess;
    const primary = new Primary(kind, settings, identity, read);
    await primary.#bind();
    primary.#obey();
    primary.#showStatus();
    writePid(settings.pid);
    await primary.#control.listen(settings.pid);
    for (const line of startLines()) primary.#log.write("notice", line);
    primary.#mention(settings, warnings);
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
      gone: (counts) => this.#status.gone(counts),
      extinct: () => this.#exit(),
    });
    const sessions = new Sessions(this.#generations, log);
    this.#fleet = new FleetLine(this.#generations, sessions, log);
    this.#control = new ControlSocket(controlPages(sessions), log);
    this.#status = new Status({
      ready: () => this.#isReady,
      metrics: new PrimaryMetrics(
        () => this.#settings,
        () => this.#sinks.lost,
        this.#alone,
      ),
      generations: this.#generations,
      sessions,
      log,
    });
  }

  /** Those in force. */
  get #settings(): LoadedSettings {
    return this.#generations.current.settings;
  }

  /** Somebody is waiting at the terminal, and hears of what is waited for. */
  async #bind(): Promise<void> {
    // The files of unix sockets go with us, whatever we end by.
    process.on("exit", () => {
      this.#control.close();
      this.#sockets.close();
    });
    const settings = this.#settings;
    this.#sockets.inherit(inherited, settings, this.#log);
    const seen = settings.error_log.some(({ destination }) => "stream" in destination);
    await this.#sockets.bind(settings, {
      write: (level, message) => {
        this.#log.write(level, message);
        if (level === "emerg" && !seen) say(level, message);
      },
    });
  }

  /** @returns when connections are being accepted */
  async run(): Promise<void> {
    // Awaiting signals alone does not keep Node alive, and there may be a time without workers.
    setInterval(() => {}, LONGEST_INTERVAL);
    await this.#serve(this.#generations.current);
    // For the next command, such as `-s reload`: at exit, which may be months away, Node does so anyway.
    flushCompileCache();
    if (!this.#alone) compactHeapAtRest(() => true);
  }

  #showStatus(): void {
    const { status_listen: listen } = this.#settings;
    this.#status.show(listen, listen === null ? undefined : this.#sockets.get(listen));
  }

  /** Before the pid file is there: who finds it may signal at once. */
  #obey(): void {
    const log = (): ErrorLog => this.#log;
    // All sessions are worth more than a clean end. Alone, the worker in here listens for that.
    if (!this.#alone) process.on("uncaughtException", (error) => this.#fault(error));
    obey("SIGTERM", log, () => this.#stop());
    obey("SIGINT", log, () => this.#stop());
    obey("SIGQUIT", log, () => (this.#alone ? this.#stop() : this.#drain()));
    obey("SIGUSR1", log, () => this.#reopen());
    obey("SIGHUP", log, () => this.#reload());
    // A terminal's window that changes its size sends one, too.
    if (isDaemon && !this.#alone) obey("SIGWINCH", log, () => this.#fallSilent());
    obey("SIGUSR2", log, () => this.#changeProgram());
  }

  #fault(error: Error): void {
    this.#log.write("alert", `fault: ${error.stack ?? error.message}`);
  }

  /** What the operator should know of a configuration. */
  #mention(settings: LoadedSettings, warnings: readonly string[]): void {
    for (const notice of settings.notices) this.#log.write("notice", notice);
    for (const warning of [...settings.warnings, ...warnings]) this.#log.write("warn", warning);
  }

  /** One reload after the other, so that the last one has read what is there now. */
  #reload(): void {
    this.#reloading = this.#reloading.then(() =>
      this.#succession.hasSuccessor ? this.#startAnew() : this.#reconfigure(),
    );
  }

  /** Nobody shall find the sockets of half a reload. */
  #changeProgram(): void {
    this.#reloading = this.#reloading.then(() => this.#succeed());
  }

  #succeed(): void {
    if (this.#phase !== "running") return;
    if (this.#alone) this.#log.write("warn", "there is no master process, ignoring SIGUSR2");
    else this.#succession.begin(this.#sockets.descriptors, this.#settings.pid);
    this.#moveControl();
  }

  /** Beside our pid file, wherever that is now. */
  #moveControl(): void {
    void this.#control.listen(this.#succession.pidFile(this.#settings.pid));
  }

  /** The successor has ended: whoever fell silent for it serves again. */
  #afterSuccessor(): void {
    this.#moveControl();
    if (!this.#ready) this.#startAnew();
  }

  /** With the same configuration: what is in the files now is the successor's. */
  #startAnew(): void {
    if (this.#phase !== "running") return;
    this.#log.write("notice", "starting workers anew, without reading the configuration");
    const { settings, identity } = this.#generations.current;
    void this.#serve(this.#generations.begin(settings, identity));
  }

  async #reconfigure(): Promise<void> {
    this.#log.write("notice", "reconfiguring");
    try {
      const settings = await this.#read(this.#settings);
      if (this.#phase !== "running") return;
      const identity = workerIdentity(settings);
      const warnings = checkResources(settings);
      prepareLogFiles(settings, identity);
      const log = new ErrorLog(settings.error_log, this.#sinks);
      await this.#sockets.bind(settings, this.#log);
      // It may have waited, and somebody told us to stop.
      if (this.#phase !== "running") return;
      movePid(this.#settings.pid, settings.pid);
      this.#log = log;
      this.#mention(settings, warnings);
      this.#generations.begin(settings, identity);
      this.#showStatus();
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

  /** The sockets are the successor's as well. */
  get #isReady(): boolean {
    return (this.#ready && this.#phase === "running") || this.#succession.hasSuccessor;
  }

  /** Closes the sockets that only generations of the past had, or one that has not come about. */
  #closeUnused(): void {
    const { listens } = this.#generations;
    const { listen } = this.#status;
    this.#sockets.keep(listen === null ? listens : [...listens, listen]);
  }

  /** Until the next reload, nobody is served but those who are. */
  #fallSilent(): void {
    this.#ready = false;
    this.#generations.fallSilent();
  }

  /** After a rotation: everybody opens their log files anew. */
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
    this.#generations.stop();
    this.#closeUnused();
    limit(KILL_AFTER, () => this.#generations.kill());
  }

  #drain(): void {
    if (this.#phase !== "running") return;
    this.#phase = "draining";
    const { drain_delay } = this.#settings;
    // Where others have the sockets as well, nobody is to turn to another address.
    if (this.#succession.isShared) this.#status.leave();
    // A program before us may have stopped to listen long ago.
    if (drain_delay === 0 || this.#succession.hasSuccessor) this.#stopListening();
    else {
      this.#log.write("notice", `not ready any more, listening for another ${drain_delay}ms`);
      limit(drain_delay, () => this.#stopListening());
    }
  }

  #stopListening(): void {
    if (this.#phase !== "draining") return;
    this.#generations.drain();
    this.#closeUnused();
    limit(this.#settings.worker_shutdown_timeout, () => this.#stop());
  }

  #exit(): void {
    removePid(this.#succession.pidFile(this.#settings.pid));
    this.#log.write("notice", "exit");
    process.exit(0);
  }
}
