/** The entry of a worker process: what the primary says becomes calls on a Worker. */
import { setTimeout as after } from "node:timers/promises";
import type { BoundSocket } from "../transport/index.ts";
import { type Identity, become } from "./identity.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { Worker } from "./worker.ts";

/** ms for last words and last log lines to go out before a stopping worker exits. */
const LAST_WORDS = 200;

export function runWorker(): void {
  let worker: Worker | null = null;
  let awaited = 0;
  let identity: Identity | null = null;

  // The terminal's Ctrl-C goes to the whole process group; the primary alone decides what it means.
  for (const signal of ["SIGINT", "SIGHUP", "SIGUSR2"] as const) process.on(signal, () => {});
  // Without a listener, USR1 would open Node's debugger to everybody on the machine.
  process.on("SIGUSR1", () => worker?.reopen());
  process.on("SIGQUIT", () => worker?.drain());
  process.on("SIGTERM", () => void stop(worker));
  // Where the primary is gone, cluster exits at once; the sessions still get their lines in the log.
  process.on("exit", () => worker?.stop());

  // A fault of ours that no session has caught: the other sessions are worth more than a clean end.
  process.on("uncaughtException", (error) => worker?.fault(error));

  process.on("message", (message: ToWorker, socket: BoundSocket | undefined) => {
    switch (message.kind) {
      case "configure":
        identity = message.identity;
        worker = new Worker(message.settings, message.ticketKeys, () => void exitSoon());
        awaited = message.settings.servers.flatMap(({ listen }) => listen).length;
        break;
      case "listen":
        if (socket !== undefined) worker?.listen(message.server, message.listen, socket);
        if (--awaited > 0) break;
        if (identity !== null) become(identity);
        tell({ kind: "ready" });
        break;
      case "reopen":
        worker?.reopen();
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

function tell(message: FromWorker): void {
  process.send?.(message);
}

function stop(worker: Worker | null): Promise<never> {
  worker?.stop();
  return exitSoon();
}

async function exitSoon(): Promise<never> {
  await after(LAST_WORDS);
  process.exit(0);
}
