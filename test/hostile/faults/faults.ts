/** The faults: each is injected, lasts for a while and is healed. */
import { setTimeout as pause } from "node:timers/promises";
import type { Ledger } from "./ledger.ts";
import type { Site } from "./site.ts";

interface Fault {
  readonly name: string;
  /** True where connections end that the fault does not begin with: those of a process that is killed. */
  readonly cuts: boolean;
  /** Injects and heals it. */
  readonly happen: (site: Site) => Promise<void>;
}

/** ms that a process is away or stopped: longer than a login, shorter than all timeouts. */
const OUTAGE = 400;
/** ms that a process is stopped for longer than `auth_http_timeout` and `proxy_connect_timeout`. */
const STANDSTILL = 2500;

interface Killable {
  kill(): Promise<void>;
  restart(): Promise<void>;
}

async function away(peer: Killable): Promise<void> {
  await peer.kill();
  await pause(OUTAGE);
  await peer.restart();
}

async function stopped(
  signal: (name: NodeJS.Signals) => void,
  time: number = OUTAGE,
): Promise<void> {
  signal("SIGSTOP");
  await pause(time);
  signal("SIGCONT");
}

export const FAULTS: readonly Fault[] = [
  {
    name: "a worker is killed",
    cuts: true,
    happen: async (site) => {
      const [worker = 0] = await site.workers();
      process.kill(worker, "SIGKILL");
    },
  },
  {
    name: "a worker is stopped",
    cuts: false,
    happen: async (site) => {
      const [worker = 0] = await site.workers();
      await stopped((signal) => process.kill(worker, signal));
    },
  },
  {
    name: "a mail server is killed",
    cuts: true,
    happen: ({ mailServers }) => away(mailServers[1]!),
  },
  {
    name: "a mail server is stopped",
    cuts: false,
    happen: ({ mailServers }) => stopped((signal) => mailServers[2]!.signal(signal), STANDSTILL),
  },
  { name: "the lookup endpoint is killed", cuts: false, happen: ({ endpoint }) => away(endpoint) },
  {
    name: "the lookup endpoint is stopped",
    cuts: false,
    happen: ({ endpoint }) => stopped((signal) => endpoint.signal(signal), STANDSTILL),
  },
  { name: "tinyproxy is killed", cuts: true, happen: ({ outbound }) => away(outbound[0]!) },
  { name: "dante is killed", cuts: true, happen: ({ outbound }) => away(outbound[1]!) },
  { name: "the configuration is reloaded", cuts: false, happen: (site) => site.reload() },
  { name: "the program is upgraded", cuts: false, happen: (site) => site.upgrade() },
];

/** Lets a fault happen, and enters it. */
export async function happen(fault: Fault, site: Site, ledger: Ledger): Promise<void> {
  const from = performance.now();
  await fault.happen(site);
  ledger.outages.push({ name: fault.name, cuts: fault.cuts, from, to: performance.now() });
}
