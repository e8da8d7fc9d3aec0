/** The worker processes of one configuration: started together, replaced when they die, drained together. */
import cluster from "node:cluster";
import { fileURLToPath } from "node:url";
import type { LoadedSettings } from "../../certificates/index.ts";
import { CertificateWatch } from "../../certificates/watch.ts";
import type { Identity } from "../../config/index.ts";
import { WorkerCounts } from "../../limits/index.ts";
import type { Snapshot } from "../../observe/index.ts";
import type { LineState } from "../../revocation/index.ts";
import type { TicketKeys } from "../../transport/index.ts";
import type { WorkerSessions } from "../control/sessions.ts";
import { bindings } from "../ipc/bindings.ts";
import { FATAL, describeExit } from "../os/exit-status.ts";
import type { Generation, GenerationContext } from "./generation.ts";
import { RemoteWorker } from "./remote-worker.ts";
import { workerEnvironment } from "./worker-environment.ts";

/** ms before a worker that died is replaced: at first, and at most while workers keep dying. */
const RESPAWN_FIRST = 50;
const RESPAWN_SLOWEST = 5000;

/** ms. The death of a worker that has lived longer says nothing about its replacement. */
const LONG_LIFE = 10_000;

/** The operator's own configuration of OpenSSL comes first. */
const OPENSSL_CONF =
  process.env["OPENSSL_CONF"] ?? fileURLToPath(new URL("../worker/openssl.cnf", import.meta.url));

/** Workers trust the system's authorities beside those of Node, unless the operator sets 0. */
const SYSTEM_AUTHORITIES = { NODE_USE_SYSTEM_CA: "1" };

/**
 * MiB of each half of a worker's young generation. V8 would let it grow to 16 while many clients log in, and keep
 * that memory, which thousands of idle sessions need; a login would cost the same.
 */
const YOUNG_GENERATION = "--max-semi-space-size=2";

/**
 * Workers read what clients send, so they run under Node's permission model: without native addons, threads, WASI and
 * the debugger, and without other programs once they are set up (`setUpProcess`). Files stay a matter of the
 * worker's user, since a configuration may name any.
 */
const PERMISSIONS = [
  "--permission",
  "--allow-fs-read=*",
  "--allow-fs-write=*",
  "--allow-net",
  "--allow-child-process",
  // Node warns of the last two flags at each start.
  "--disable-warning=PERM0002",
  "--disable-warning=ExperimentalWarning",
];

/** @param entry path of the module that workers run */
export function setUpWorkerProcesses(entry: string): void {
  const { execArgv: own } = process;
  // An operator's own permissions hold for workers as well.
  const permissions = own.includes("--permission") ? [] : PERMISSIONS;
  const execArgv = [...own, YOUNG_GENERATION, ...permissions];
  cluster.setupPrimary({ exec: entry, args: [], execArgv, serialization: "advanced" });
}

export class WorkerProcesses implements Generation {
  readonly settings: LoadedSettings;
  readonly #context: GenerationContext;
  readonly #workers = new Set<RemoteWorker>();
  #ending = false;
  #watch: CertificateWatch | null = null;
  /** Workers that have come to accept connections. */
  #ready = 0;
  /** Workers that could not be set up, and are not replaced. */
  #failed = 0;
  #started: (serving: boolean) => void = () => {};
  /** ms before the next worker that died young is replaced. */
  #respawn = RESPAWN_FIRST;

  constructor(settings: LoadedSettings, context: GenerationContext) {
    this.settings = settings;
    this.#context = context;
  }

  get identity(): Identity | null {
    return this.#context.identity;
  }

  start(): Promise<boolean> {
    const { certificates, worker_processes } = this.settings;
    this.#watch = new CertificateWatch(certificates, this.#context.log, (server) =>
      this.#renew(server),
    );
    for (let index = 0; index < worker_processes; index++) this.#spawn(index);
    return new Promise((resolve) => {
      this.#started = resolve;
    });
  }

  drain(): void {
    this.#end();
    for (const worker of this.#workers) worker.send("drain", []);
  }

  stop(): void {
    this.#end();
    for (const worker of this.#workers) worker.send("stop", []);
  }

  kill(): void {
    for (const worker of this.#workers) worker.kill();
  }

  lostKicks(): void {
    for (const worker of this.#workers) worker.send("lostKicks", []);
  }

  follow(line: LineState): void {
    for (const worker of this.#workers) worker.send("follow", [line]);
  }

  reopen(): void {
    for (const worker of this.#workers) worker.send("reopen", []);
  }

  renewTickets(keys: TicketKeys): void {
    for (const worker of this.#workers) worker.send("renewTickets", [keys]);
  }

  get counts(): readonly Snapshot[] {
    return Array.from(this.#workers, ({ counts }) => counts);
  }

  async count(): Promise<void> {
    await Promise.all(Array.from(this.#workers, (worker) => worker.count()));
  }

  get workers(): readonly WorkerSessions[] {
    return [...this.#workers];
  }

  #end(): void {
    this.#ending = true;
    this.#watch?.close();
    this.#started(false);
    if (this.#workers.size === 0) this.#context.listener.empty();
  }

  #spawn(index: number): void {
    const process = cluster.fork({
      ...SYSTEM_AUTHORITIES,
      ...workerEnvironment(this.settings.env),
      OPENSSL_CONF,
    });
    const connections = new WorkerCounts(this.#context.connections);
    const began = performance.now();
    const worker = new RemoteWorker(process, {
      ready: () => this.#becomeReady(worker),
      sendSockets: () => this.#sendSockets(worker),
      pairs: (server, id) => this.settings.certificates.get(server)?.pairs(id) ?? null,
      claim: (session, claims) => connections.claim(session, claims),
      release: (session, by) => connections.release(session, by),
    });
    this.#workers.add(worker);
    process.on("exit", (code, signal) => {
      connections.close();
      this.#workers.delete(worker);
      this.#context.listener.gone(worker.counts);
      this.#context.log.write(...describeExit(`worker process ${worker.pid}`, code, signal));
      if (this.#ending) {
        if (this.#workers.size === 0) this.#context.listener.empty();
      } else if (code === FATAL) this.#fail(worker);
      else this.#replace(index, performance.now() - began);
    });
    this.#configure(worker, index);
    this.#sendSockets(worker);
  }

  #configure(worker: RemoteWorker, index: number): void {
    const { certificates, ...settings } = this.settings;
    const { identity, ticketKeys, revocations } = this.#context;
    const { material: tls } = certificates;
    const known = { ticketKeys: ticketKeys.current, revocations: revocations.state };
    worker.send("configure", [{ index, settings, tls, identity, ...known }]);
  }

  #sendSockets(worker: RemoteWorker): void {
    for (const [binding, { own }] of bindings(this.settings).entries()) {
      worker.send("listen", [binding], this.#context.sockets.get(own.listen));
    }
  }

  #renew(server: number): void {
    const renewable = this.settings.certificates.get(server)?.renewable;
    if (renewable === undefined) return;
    for (const worker of this.#workers) worker.send("renew", [server, renewable]);
  }

  #becomeReady({ pid }: RemoteWorker): void {
    this.#context.log.write("notice", `start worker process ${pid}`);
    this.#ready++;
    this.#tellStarted();
  }

  /** As in nginx, a worker that cannot be set up is not replaced: another one would fail as well. */
  #fail({ pid }: RemoteWorker): void {
    this.#context.log.write(
      "alert",
      `worker process ${pid} exited with fatal code ${FATAL} and cannot be respawned`,
    );
    this.#failed++;
    this.#tellStarted();
  }

  #tellStarted(): void {
    if (this.#ready + this.#failed >= this.settings.worker_processes)
      this.#started(this.#ready > 0);
  }

  /** @param lived ms */
  #replace(index: number, lived: number): void {
    const pause = lived > LONG_LIFE ? RESPAWN_FIRST : this.#respawn;
    this.#respawn = Math.min(pause * 2, RESPAWN_SLOWEST);
    setTimeout(() => {
      if (!this.#ending) this.#spawn(index);
    }, pause);
  }
}
