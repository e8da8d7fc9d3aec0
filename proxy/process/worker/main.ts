/** The entry of a worker process: the primary's calls become calls on a Worker. */
import { flushCompileCache } from "node:module";
import { setTimeout as after } from "node:timers/promises";
import { say } from "../../report.ts";
import { bindings } from "../ipc/bindings.ts";
import {
  NO_SESSIONS,
  type PrimaryCalls,
  type WorkerCalls,
  type WorkerConfiguration,
} from "../ipc/calls.ts";
import { Channel } from "../ipc/channel.ts";
import { FATAL } from "../os/exit-status.ts";
import { compactHeapAtRest } from "../os/heap.ts";
import { remoteLimiter } from "./remote-limiter.ts";
import { setUpProcess } from "./worker-setup.ts";
import { LAST_WORDS, Worker } from "./worker.ts";

type PrimaryChannel = Channel<WorkerCalls, PrimaryCalls>;

export function main(): void {
  let worker: Worker | null = null;
  let awaited = 0;
  const primary: PrimaryChannel = new Channel(
    // Without a primary, nothing is counted any more.
    (message) => process.send?.(message, undefined, undefined, () => {}),
    {
      configure: (configuration) => {
        worker = configure(configuration, primary);
        awaited = bindings(configuration.settings).length;
      },
      listen: (binding, socket) => {
        if (socket !== undefined) worker?.listen(binding, socket);
        if (--awaited !== 0) return;
        primary.send("ready", []);
        compactHeapAtRest(() => worker?.isIdle ?? false);
      },
      renew: (server, renewable) => worker?.renew(server, renewable),
      renewTickets: (keys) => worker?.renewTickets(keys),
      count: () => worker?.counts() ?? [],
      kick: (kicks) => worker?.kick(kicks) ?? [],
      lostKicks: () => worker?.lostKicks(),
      follow: (line) => worker?.follow(line),
      page: (number) => worker?.page(number) ?? NO_SESSIONS,
      reopen: () => worker?.reopen(),
      drain: () => worker?.drain(),
      stop: () => stop(worker, primary),
    },
  );
  process.on("message", (...received: Parameters<PrimaryChannel["receive"]>) =>
    primary.receive(...received),
  );

  // The terminal's Ctrl-C goes to the whole process group; the primary alone decides what it means.
  for (const signal of ["SIGINT", "SIGHUP", "SIGUSR2"] as const) process.on(signal, () => {});
  // Without a listener, USR1 would open Node's debugger to every user of the machine.
  process.on("SIGUSR1", () => worker?.reopen());
  process.on("SIGQUIT", () => worker?.drain());
  process.on("SIGTERM", () => stop(worker, primary));
  // cluster exits at once when the primary has gone. The sessions still get their lines in the log.
  process.on("exit", () => worker?.stop());

  // No session has caught this fault of ours. The other sessions are worth more than a clean end.
  process.on("uncaughtException", (error) => {
    if (worker === null) failSetup(error);
    else worker.fault(error);
  });
}

/** A replacement could not be set up either. */
function failSetup(error: Error): never {
  say("alert", `fault: ${error.stack ?? error.message}`);
  process.exit(FATAL);
}

/** Logs are opened before root is given up, and sockets are taken after. */
function configure(
  { settings, tls, ticketKeys, revocations, identity, index }: WorkerConfiguration,
  primary: PrimaryChannel,
): Worker {
  const worker = new Worker(
    settings,
    {
      tls,
      ticketKeys,
      revocations,
      pairs: async (server, id) => (await primary.request("pairs", [server, id])) ?? null,
      limiter: remoteLimiter(primary),
      sendSockets: () => primary.send("sendSockets", []),
    },
    () => void exitSoon(worker, primary),
  );
  // As another user, this process cannot write to the cache.
  flushCompileCache();
  setUpProcess(settings, identity, index, worker.log);
  return worker;
}

function stop(worker: Worker | null, primary: PrimaryChannel): void {
  worker?.stop();
  void exitSoon(worker, primary);
}

let exiting = false;

async function exitSoon(worker: Worker | null, primary: PrimaryChannel): Promise<void> {
  if (exiting) return;
  exiting = true;
  worker?.log.write("notice", "exiting");
  if (worker !== null) primary.send("counted", [worker.counts()]);
  await after(LAST_WORDS);
  worker?.log.write("notice", "exit");
  process.exit(0);
}
