/** The entry of a worker process: what the primary says becomes calls on a Worker. */
import { flushCompileCache } from "node:module";
import { setTimeout as after } from "node:timers/promises";
import { say } from "../../report.ts";
import type { BoundSocket } from "../../transport/index.ts";
import { bindings } from "../ipc/bindings.ts";
import { NO_SESSIONS } from "../primary/generation.ts";
import type { FromWorker, ToWorker } from "../ipc/messages.ts";
import { compactHeapAtRest } from "../os/heap.ts";
import { RemotePairs } from "../../certificates/remote-pairs.ts";
import { RemoteLimiter } from "./remote-limiter.ts";
import { FATAL, settle } from "./worker-setup.ts";
import { LAST_WORDS, Worker } from "./worker.ts";

export function main(): void {
  let worker: Worker | null = null;
  let awaited = 0;
  const limiter = new RemoteLimiter(tell);
  const pairs = new RemotePairs(tell);

  // The terminal's Ctrl-C goes to the whole process group; the primary alone decides what it means.
  for (const signal of ["SIGINT", "SIGHUP", "SIGUSR2"] as const) process.on(signal, () => {});
  // Without a listener, USR1 would open Node's debugger to everybody on the machine.
  process.on("SIGUSR1", () => worker?.reopen());
  process.on("SIGQUIT", () => worker?.drain());
  process.on("SIGTERM", () => void stop(worker));
  // Where the primary is gone, cluster exits at once; the sessions still get their lines in the log.
  process.on("exit", () => worker?.stop());

  // A fault of ours that no session has caught: the other sessions are worth more than a clean end.
  process.on("uncaughtException", (error) => {
    if (worker === null) stillborn(error);
    else worker.fault(error);
  });

  process.on("message", (message: ToWorker, socket: BoundSocket | undefined) => {
    switch (message.kind) {
      case "configure":
        worker = configure(message, limiter, pairs);
        awaited = bindings(message.settings).length;
        break;
      case "listen":
        if (socket !== undefined) worker?.listen(message.binding, socket);
        if (--awaited === 0) {
          tell({ kind: "ready" });
          compactHeapAtRest(() => worker?.isIdle ?? false);
        }
        break;
      case "renewed":
        worker?.renew(message.server, message.renewable);
        break;
      case "pairs":
        pairs.answered(message.server, message.id, message.pairs);
        break;
      case "ticketKeys":
        worker?.renewTickets(message.keys);
        break;
      case "answer":
        limiter.answered(message.session, message.denial);
        break;
      case "count":
        if (worker !== null) tellCounts(worker, message.question);
        break;
      case "kick": {
        const { question, user } = message;
        tell({ kind: "kicked", question, ended: worker?.kick(user) ?? 0 });
        break;
      }
      case "page": {
        const { question, after: number } = message;
        tell({ kind: "page", question, page: worker?.page(number) ?? NO_SESSIONS });
        break;
      }
      case "reopen":
        worker?.reopen();
        break;
      case "forget":
        worker?.forget();
        break;
      case "drain":
        worker?.drain();
        break;
      case "stop":
        void stop(worker);
        break;
    }
  });
}

/** What cannot even be set up would fare no better another time. */
function stillborn(error: Error): never {
  say("alert", `fault: ${error.stack ?? error.message}`);
  process.exit(FATAL);
}

/** Logs and certificates are open before privileges are given up, and sockets are taken after. */
function configure(
  { settings, tls, ticketKeys, identity, index }: ToWorker & { kind: "configure" },
  limiter: RemoteLimiter,
  remote: RemotePairs,
): Worker {
  const worker = new Worker(
    settings,
    { tls, ticketKeys, pairs: (server, id) => remote.ask(server, id), limiter, reopen },
    () => void exitSoon(worker),
  );
  // As another user this process cannot write to the cache any more.
  flushCompileCache();
  settle(settings, identity, index, worker.log);
  return worker;
}

function reopen(): void {
  tell({ kind: "sockets" });
}

function tell(message: FromWorker): void {
  // Where the primary has gone nobody counts any more.
  process.send?.(message, undefined, undefined, () => {});
}

/** @param question null where nobody has asked */
function tellCounts(worker: Worker, question: number | null): void {
  tell({ kind: "counted", question, counts: worker.counts() });
}

function stop(worker: Worker | null): Promise<void> {
  worker?.stop();
  return exitSoon(worker);
}

let exiting = false;

async function exitSoon(worker: Worker | null): Promise<void> {
  if (exiting) return;
  exiting = true;
  worker?.log.write("notice", "exiting");
  if (worker !== null) tellCounts(worker, null);
  await after(LAST_WORDS);
  worker?.log.write("notice", "exit");
  process.exit(0);
}
