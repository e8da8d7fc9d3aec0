// Starts what `npm start` runs: the worker, two mail servers, and the proxy in front of them.
import { mkdir } from "node:fs/promises";
import { startMailbox, type Delivery } from "../support/peers/mailbox/index.ts";
import { isFree } from "../support/programs/ports.ts";
import type { Program } from "../support/programs/program.ts";
import { Failure, notInstalled } from "./failure.ts";
import type { Options } from "./options.ts";
import { alice, bob } from "./accounts.ts";
import { allPorts, host, demoPorts, type DemoPorts } from "./ports.ts";
import { startProxy } from "./proxy.ts";

/** Disposing of it ends everything that it runs. */
export type Demo = AsyncDisposable & { readonly ports: DemoPorts; readonly proxy: Program };

export async function startDemo({ shift, state }: Options): Promise<Demo> {
  const ports = demoPorts(shift);
  await demandFreePorts(ports);
  await mkdir(state, { recursive: true });

  await using started = new AsyncDisposableStack();
  const starting = [
    startProxy(ports, shift, state),
    startWorker(ports, state),
    ...startMailServers(ports),
  ] as const;
  // Waits for each, so that a failure of one ends those that did start.
  for (const outcome of await Promise.allSettled(starting)) {
    if (outcome.status === "fulfilled") started.use(outcome.value);
  }
  const [{ program: proxy }] = await Promise.all(starting);
  const running = started.move();
  return { ports, proxy, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function demandFreePorts(ports: DemoPorts): Promise<void> {
  for (const port of allPorts(ports)) {
    if (await isFree(port)) continue;
    const other = "move every port with: npm start -- --port-shift 10000";
    throw new Failure(`port ${port} on ${host} is taken: end what listens there, or ${other}`);
  }
}

/** Imports the tools of the worker here, since they take a second to load, in which the proxy starts. */
async function startWorker(ports: DemoPorts, state: string): Promise<AsyncDisposable> {
  const { startDirectory } = await import("./directory.ts").catch(notInstalled);
  return startDirectory(ports, state);
}

function startMailServers(ports: DemoPorts): Promise<AsyncDisposable>[] {
  const delivery: Delivery = new Map();
  return [alice, bob].map(async (person) => {
    const { server: name } = person;
    const mailbox = await startMailbox({ name, ports: ports[name], users: [person], delivery });
    return { [Symbol.asyncDispose]: () => mailbox.close() };
  });
}
