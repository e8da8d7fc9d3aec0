// Everything that `npm start` runs: the worker, two mail servers, and the proxy in front of them.
import { mkdir } from "node:fs/promises";
import { startMailbox, type Delivery } from "../support/mailbox/index.ts";
import { isFree } from "../support/ports.ts";
import type { Program } from "../support/program.ts";
import { Failure, notInstalled } from "./failure.ts";
import type { Options } from "./options.ts";
import { alice, bob } from "./accounts.ts";
import { allPorts, host, places, type Places } from "./addresses.ts";
import { startProxy } from "./proxy.ts";

/** Once it is disposed of, nothing is left running; nor if it cannot start. */
export type Demo = AsyncDisposable & { readonly where: Places; readonly proxy: Program };

export async function startDemo({ shift, state }: Options): Promise<Demo> {
  const where = places(shift);
  await demandFreePorts(where);
  await mkdir(state, { recursive: true });

  await using started = new AsyncDisposableStack();
  const starting = [
    startProxy(where, shift, state),
    startWorker(where, state),
    ...startMailServers(where),
  ] as const;
  // Each is waited for, so that what did start is ended where another did not.
  for (const outcome of await Promise.allSettled(starting)) {
    if (outcome.status === "fulfilled") started.use(outcome.value);
  }
  const [{ program: proxy }] = await Promise.all(starting);
  const running = started.move();
  return { where, proxy, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function demandFreePorts(where: Places): Promise<void> {
  for (const port of allPorts(where)) {
    if (await isFree(port)) continue;
    const other = "move every port with: npm start -- --port-shift 10000";
    throw new Failure(`port ${port} on ${host} is taken: end what listens there, or ${other}`);
  }
}

/** Its tools take a second to load, in which the proxy starts. */
async function startWorker(where: Places, state: string): Promise<AsyncDisposable> {
  const { startDirectory } = await import("./directory.ts").catch(notInstalled);
  return startDirectory(where, state);
}

function startMailServers(where: Places): Promise<AsyncDisposable>[] {
  const delivery: Delivery = new Map();
  return [alice, bob].map(async (person) => {
    const { server: name } = person;
    const mailbox = await startMailbox({ name, ports: where[name], users: [person], delivery });
    return { [Symbol.asyncDispose]: () => mailbox.close() };
  });
}
