/** One line of the table: something that is measured of all proxies in turn. */
import { Clients, type Load, type Work } from "./client.ts";
import type { ServerName } from "./configuration.ts";
import { cpuTime } from "../support/programs/process-tree.ts";
import type { Prepared, Proxy, ProxyName } from "./proxies.ts";

/** The means of a measurement. */
export interface Bench {
  /** The directory of the compiled programs. */
  readonly programs: string;
  /** ms of one measurement, and of the work before it that does not count. */
  readonly ms: number;
  readonly warmUp: number;
  /** Writes the files of a proxy that the row starts itself. */
  prepare(name: ProxyName): Promise<Prepared>;
}

/** The target, as a share of a rival's figure, or of the unit itself where `of` is null. */
export type Target = { readonly of: Rival | null } & (
  | { readonly atMost: number }
  | { readonly atLeast: number }
);

export type Rival = "nginx" | "floor" | "oneWorker";

/** The proxies of a row. */
export type Proxies = { readonly postern: ProxyName } & Partial<Readonly<Record<Rival, ProxyName>>>;

interface RowFacts {
  readonly name: string;
  readonly unit: string;
  readonly target: Target | null;
  readonly proxies: Proxies;
}

/** Measured round by round of proxies that go on running, or once of each proxy, which has done nothing before. */
export type Row = RowFacts &
  (
    | {
        readonly kind: "running" | "fresh";
        measure(bench: Bench, proxy: Proxy): Promise<number>;
      }
    | {
        readonly kind: "command";
        measure(bench: Bench, proxy: ProxyName): Promise<number>;
      }
  );

export const ONE_WORKER: Proxies = { nginx: "nginx", floor: "floor", postern: "postern" };
export const UNLOGGED: Proxies = { ...ONE_WORKER, postern: "quiet" };

/** ms for a proxy to close what the clients have closed. */
const AFTERMATH = 50;

/** @returns the work of one measurement, and its CPU time in ms */
export async function measureWork(
  { programs, ms, warmUp }: Bench,
  { pid, ports }: Proxy,
  server: ServerName,
  load: Load,
): Promise<Work & { readonly cpu: number }> {
  const clients = await Clients.open(programs, ports[server], load);
  try {
    await clients.work(warmUp);
    const before = await cpuTime(pid);
    const work = await clients.work(ms);
    await new Promise((resolve) => setTimeout(resolve, AFTERMATH));
    return { ...work, cpu: (await cpuTime(pid)) - before };
  } finally {
    await clients.close();
  }
}
