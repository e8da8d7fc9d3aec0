// CPU time as the kernel's scheduler counts it.
import { readdir, readFile } from "node:fs/promises";

/** ms, user and system, that all threads of the process have used so far: to the microsecond, not the tick. */
export async function cpuTime(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = threads.map(async (thread) => {
    const [running = "0"] = (await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8")).split(
      " ",
    );
    return Number(running) / 1e6;
  });
  return (await Promise.all(times)).reduce((sum, time) => sum + time, 0);
}
