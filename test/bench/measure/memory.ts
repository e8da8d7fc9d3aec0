// Memory as the kernel shares it out.
import { readFile } from "node:fs/promises";

/** KiB of the process's proportional set size: its own pages, and its share of those that it shares. */
export async function memory(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]);
}
