/** CPU time and memory of a process and of all its descendants. */
import { readFile, readdir } from "node:fs/promises";

/** ms of CPU time so far, user and system: the scheduler counts it to the microsecond, `stat` to the tick. */
export async function cpuTime(root: number): Promise<number> {
  let sum = 0;
  for (const pid of await processTree(root)) {
    for (const thread of await readdir(`/proc/${pid}/task`)) {
      const [running] = (await read(pid, `task/${thread}/schedstat`)).split(" ");
      sum += Number(running) / 1e6;
    }
  }
  return sum;
}

/** KiB of the proportional set sizes: pages that processes share count once. */
export async function memory(root: number): Promise<number> {
  let sum = 0;
  for (const pid of await processTree(root)) {
    sum += Number(/^Pss:\s+(\d+) kB$/m.exec(await read(pid, "smaps_rollup"))?.[1]);
  }
  return sum;
}

/** ms of CPU time of all children of this process that have ended, in ticks of 10 ms. */
export async function endedChildrenCpu(): Promise<number> {
  const stat = await readFile("/proc/self/stat", "latin1");
  // Field 2 holds the program's name and may hold spaces; 16 and 17 are cutime and cstime (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** The process and all its descendants. */
export async function processTree(root: number): Promise<number[]> {
  const tree = [root];
  for (const pid of tree) {
    for (const thread of await readdir(`/proc/${pid}/task`)) {
      // A thread may end in the meantime; its children then have another parent.
      const children = (await read(pid, `task/${thread}/children`).catch(() => "")).trim();
      if (children !== "") tree.push(...children.split(" ").map(Number));
    }
  }
  return tree;
}

function read(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, "latin1");
}
