/** Sets up a worker process before it serves: priority, limits, user, CPUs and directory. */
import { spawnSync } from "node:child_process";
import { cpus, setPriority } from "node:os";
import type { CpuAffinity, Identity, LogLevel, Settings } from "../../config/index.ts";
import type { ErrorLog } from "../../observe/index.ts";
import { systemReason } from "../../reason.ts";
import { FATAL } from "../os/exit-status.ts";
import { become } from "../os/identity.ts";

/** The kernel's range of nice values. */
const NICEST = 19;
const LEAST_NICE = -20;

/**
 * Follows nginx's order: root is given up after what root alone may do. A step that fails is logged and left out,
 * but a process that cannot change its user or directory ends. Afterwards the process can start no other program.
 *
 * @param index number of the worker, from 0
 */
export function setUpProcess(
  settings: Settings,
  identity: Identity | null,
  index: number,
  log: ErrorLog,
): void {
  const { worker_priority, worker_rlimit_nofile, worker_rlimit_core, working_directory } = settings;
  if (worker_priority !== 0) {
    const nice = Math.max(LEAST_NICE, Math.min(worker_priority, NICEST));
    attempt(log, "alert", `setpriority(${worker_priority})`, () => setPriority(nice));
  }
  limit(log, "nofile", worker_rlimit_nofile);
  limit(log, "core", worker_rlimit_core);
  if (identity !== null) {
    const became = attempt(log, "emerg", `setuid(${identity.uid})`, () => become(identity));
    if (!became) process.exit(FATAL);
  }
  const mask = cpuMask(settings.worker_cpu_affinity, index, cpus().length);
  if (mask !== null) {
    attempt(log, "alert", "sched_setaffinity()", () =>
      run("taskset", ["-ap", mask, `${process.pid}`]),
    );
  }
  if (working_directory !== null) {
    const there = attempt(log, "alert", `chdir("${working_directory}")`, () =>
      process.chdir(working_directory),
    );
    if (!there) process.exit(FATAL);
  }
  // From now on a worker has no reason to start a program.
  process.permission?.drop("child");
}

/** Node has no setrlimit(2), but util-linux has a program for it. */
function limit(log: ErrorLog, what: "nofile" | "core", value: number | null): void {
  if (value === null) return;
  attempt(log, "alert", `setrlimit(RLIMIT_${what.toUpperCase()}, ${value})`, () =>
    run("prlimit", ["--pid", `${process.pid}`, `--${what}=${value}:${value}`]),
  );
}

/**
 * The CPUs of one worker as `taskset` takes them, in hexadecimal; null for any.
 *
 * @param count CPUs of the machine
 */
export function cpuMask({ auto, masks }: CpuAffinity, index: number, count: number): string | null {
  if (!auto) {
    const mask = masks[index] ?? masks.at(-1);
    return mask === undefined ? null : BigInt(`0b${mask}`).toString(16);
  }
  const bits = masks[0] ?? "1".repeat(count);
  const allowed = Array.from(bits, (bit, at) => (bit === "1" ? bits.length - 1 - at : -1))
    .filter((cpu) => cpu >= 0)
    .toReversed();
  const cpu = allowed[index % allowed.length];
  return cpu === undefined ? null : (1n << BigInt(cpu)).toString(16);
}

/** @returns false for a step that has failed, and is in the log in nginx's words */
function attempt(log: ErrorLog, level: LogLevel, call: string, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    log.write(level, `${call} failed (${systemReason(error)})`);
    return false;
  }
}

/** @throws Error with what the program has written of its failure */
function run(name: string, args: readonly string[]): void {
  const { error, status, stderr } = spawnSync(name, args, { encoding: "utf8" });
  if (error !== undefined) throw new Error(`${name}: ${systemReason(error)}`, { cause: error });
  if (status === 0) return;
  const said = stderr.trim();
  throw new Error(said.endsWith("Operation not permitted") ? "1: Operation not permitted" : said);
}
