/** The workers of one configuration: started together, replaced when they die, drained together. */
import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import type { Identity } from "../../config/index.ts";
import { WorkerCounts } from "../../limits/index.ts";
import type { Snapshot } from "../../observe/index.ts";
import type { TicketKeys } from "../../transport/index.ts";
import { bindings } from "../ipc/bindings.ts";
import { ending } from "../os/exit-status.ts";
import { workerEnvironment } from "./worker-environment.ts";
import type { Asked, Generation, GenerationContext } from "./generation.ts";
import type { LoadedSettings } from "../../certificates/index.ts";
import { CertificateWatch } from "../../certificates/watch.ts";
import type { FromWorker, ToWorker } from "../ipc/messages.ts";
import { RemoteWorker, send } from "./remote-worker.ts";
import { FATAL } from "../worker/worker-setup.ts";

/** ms before a worker that died is replaced: at first, and at most while they keep dying. */
const RESPAWN_FIRST = 50;
const RESPAWN_SLOWEST = 5000;

/** ms that a worker lives before its death says nothing about the next one. */
const LONG_LIFE = 10_000;

/** The operator's own, if they have one. */
const OPENSSL_CONF =
  process.env["OPENSSL_CONF"] ?? fileURLToPath(new URL("../worker/openssl.cnf", import.meta.url));

/** The authorities that the system trusts are trusted beside those that Node brings along, unless the operator says 0. */
const SYSTEM_AUTHORITIES = { NODE_USE_SYSTEM_CA: "1" };

export class WorkerProcesses implements Generation {
  readonly settings: LoadedSettings;
  readonly #context: GenerationContext;
  readonly #workers = new Map<Worker, RemoteWorker>();
  #ending = false;
  #watch: CertificateWatch | null = null;
  /** Workers that have come to serve, and those that never will. */
  #ready = 0;
  #lost = 0;
  #started: (serving: boolean) => void = () => {};
  /** ms before the next one that died young is replaced. */
  #respawn = RESPAWN_FIRST;

  constructor(settings: LoadedSettings, context: GenerationContext) {
    this.settings = settings;
    this.#context = context;
  }

  get identity(): Identity | null {
    return this.#context.identity;
  }

  start(): Promise<boolean> {
    const { certificates } = this.settings;
    this.#watch = new CertificateWatch(certificates, this.#context.log, (server) =>
      this.#renewed(server),
    );
    for (let index = 0; index < this.settings.worker_processes; index++) this.#spawn(index);
    return new Promise((resolve) => {
      this.#started = resolve;
    });
  }

  drain(): void {
    this.#end({ kind: "drain" });
  }

  stop(): void {
    this.#end({ kind: "stop" });
  }

  kill(): void {
    for (const worker of this.#workers.keys()) worker.process.kill("SIGKILL");
  }

  forget(): void {
    this.#tell({ kind: "forget" });
  }

  reopen(): void {
    this.#tell({ kind: "reopen" });
  }

  renewTickets(keys: TicketKeys): void {
    this.#tell({ kind: "ticketKeys", keys });
  }

  get counts(): readonly Snapshot[] {
    return this.#remotes.map(({ counts }) => counts);
  }

  async count(): Promise<void> {
    await Promise.all(this.#remotes.map((worker) => worker.count()));
  }

  get workers(): readonly Asked[] {
    return this.#remotes;
  }

  get #remotes(): readonly RemoteWorker[] {
    return [...this.#workers.values()];
  }

  #tell(message: ToWorker): void {
    for (const worker of this.#workers.keys()) send(worker, message);
  }

  #end(how: ToWorker): void {
    this.#ending = true;
    this.#watch?.close();
    this.#started(false);
    this.#tell(how);
    if (this.#workers.size === 0) this.#context.listener.empty();
  }

  #spawn(index: number): void {
    const { settings } = this;
    const worker = cluster.fork({
      ...SYSTEM_AUTHORITIES,
      ...workerEnvironment(settings.env),
      OPENSSL_CONF,
    });
    const held = new WorkerCounts(this.#context.connections);
    const began = performance.now();
    const remote = new RemoteWorker(worker);
    this.#workers.set(worker, remote);
    // A worker that dies early breaks the channel under what we send; its exit says all.
    worker.on("error", () => {});
    worker.on("exit", (code, signal) => {
      this.#workers.delete(worker);
      remote.gone();
      held.close();
      this.#context.listener.gone(remote.counts);
      this.#context.log.write(...ending(`worker process ${worker.process.pid}`, code, signal));
      if (this.#ending) {
        if (this.#workers.size === 0) this.#context.listener.empty();
      } else if (code === FATAL) this.#lose(worker);
      else this.#replace(index, performance.now() - began);
    });
    this.#configure(worker, index);
    this.#hand(worker);
    worker.on("message", (message: FromWorker) => this.#hear(message, worker, held));
  }

  #configure(worker: Worker, index: number): void {
    const { certificates, ...settings } = this.settings;
    const { ticketKeys, identity } = this.#context;
    send(worker, {
      kind: "configure",
      index,
      settings,
      tls: certificates.material,
      identity,
      ticketKeys: ticketKeys.current,
    });
  }

  #renewed(server: number): void {
    const renewable = this.settings.certificates.get(server)?.renewable;
    if (renewable !== undefined) this.#tell({ kind: "renewed", server, renewable });
  }

  /** Hands over the sockets to accept from. */
  #hand(worker: Worker): void {
    for (const [binding, { own }] of bindings(this.settings).entries()) {
      send(worker, { kind: "listen", binding }, this.#context.sockets.get(own.listen));
    }
  }

  #hear(message: FromWorker, worker: Worker, held: WorkerCounts): void {
    switch (message.kind) {
      case "ready":
        this.#context.log.write("notice", `start worker process ${worker.process.pid}`);
        this.#ready++;
        this.#count();
        break;
      case "counted":
      case "kicked":
      case "page":
        this.#workers.get(worker)?.answered(message);
        break;
      case "sockets":
        this.#hand(worker);
        break;
      case "pairs": {
        const { server, id } = message;
        const pairs = this.settings.certificates.get(server)?.pairs(id) ?? null;
        send(worker, { kind: "pairs", server, id, pairs });
        break;
      }
      case "claim": {
        const { session, claims } = message;
        send(worker, { kind: "answer", session, denial: held.claim(session, claims) });
        break;
      }
      case "release":
        held.release(message.session, message.by);
        break;
    }
  }

  #count(): void {
    const serving = this.#ready > 0;
    if (this.#ready + this.#lost >= this.settings.worker_processes) this.#started(serving);
  }

  /** Another one would fare no better. */
  #lose({ process: { pid } }: Worker): void {
    this.#context.log.write(
      "alert",
      `worker process ${pid} exited with fatal code ${FATAL} and cannot be respawned`,
    );
    this.#lost++;
    this.#count();
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
