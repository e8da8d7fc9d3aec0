// What a deed costs a proxy.
import { setTimeout as pause } from "node:timers/promises";
import type { Deed } from "../processes/load-messages.ts";
import type { Round } from "../scenario.ts";
import { cpuTime } from "./cpu.ts";

/** ms for the proxy to close what the clients have closed. */
const AFTERMATH = 20;

/** @returns µs of CPU time for each deed of the clients that are open */
export async function cost({ rival, load, ms }: Round, deed: Deed): Promise<number> {
  const before = await cpuTime(rival.pid);
  const { deeds } = await load.run(deed, ms);
  await pause(AFTERMATH);
  return (((await cpuTime(rival.pid)) - before) * 1000) / deeds;
}
