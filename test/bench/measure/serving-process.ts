// Both proxies have a process that supervises and one that serves: its only child.
import { readFile } from "node:fs/promises";

export async function servingProcess(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  const [child, another] = children.trim().split(" ");
  if (!child || another) throw new Error(`process ${pid} has not one child but: ${children}`);
  return Number(child);
}
