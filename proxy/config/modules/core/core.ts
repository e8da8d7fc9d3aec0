/** nginx's core module: the main context. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { type CpuAffinity, cpuAffinity } from "./cpu-affinity.ts";
import { MANY, type Rows, eachOf, inert, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import { type Identity, identity } from "./user.ts";
import { flag, invalid, number, offset, oneOf, text, time } from "../../language/values.ts";
import type { Directive } from "../../language/directive.ts";

function workers(directive: Directive): number {
  const word = text(directive);
  if (word === "auto") return availableParallelism();
  if (!/^\d{1,6}$/.test(word)) throw invalid("value", directive);
  if (Number(word) === 0) throw new ConfigError('"worker_processes" must be at least 1', directive);
  return Number(word);
}

/** A nice value. The kernel moves one out of its range to the nearest end, so any is accepted. */
function priority(directive: Directive): number {
  const word = text(directive);
  if (!/^[+-]?\d+$/.test(word)) throw invalid("number", directive);
  return Number(word);
}

const NOT_IN_NODE = "Node has no equivalent";

export const core = {
  worker_processes: { in: ["main"], args: 1, read: once(workers), default: 1 },
  pid: {
    in: ["main"],
    args: 1,
    read: once((directive, paths) => resolve(paths.prefix, text(directive))),
    default: null as string | null,
  },
  user: {
    in: ["main"],
    args: [1, 2],
    read: once(identity),
    default: null as Identity | null,
  },
  /** Ours: ms between `/readyz` turning unready and the end of listening. */
  drain_delay: { in: ["main"], args: 1, read: once(time), default: 0 },
  worker_shutdown_timeout: { in: ["main"], args: 1, read: once(time), default: 0 },
  daemon: {
    in: ["main"],
    args: 1,
    read: once(flag),
    default: false,
    notice: (on) => (on ? "detaches from the terminal: logs to stdout and stderr are lost" : null),
  },
  master_process: { in: ["main"], args: 1, read: once(flag), default: true },
  /** `NAME` or `NAME=VALUE`. */
  env: { in: ["main"], args: 1, read: eachOf(text), default: [] as readonly string[] },
  working_directory: { in: ["main"], args: 1, read: once(text), default: null as string | null },
  /** Limits of a worker: open files, and bytes of a core file. Null leaves them as they are. */
  worker_rlimit_nofile: {
    in: ["main"],
    args: 1,
    read: once(number),
    default: null as number | null,
  },
  worker_rlimit_core: { in: ["main"], args: 1, read: once(offset), default: null as number | null },
  worker_priority: { in: ["main"], args: 1, read: once(priority), default: 0 },
  worker_cpu_affinity: {
    in: ["main"],
    args: MANY,
    read: once(cpuAffinity),
    default: { auto: false, masks: [] } as CpuAffinity,
  },
  load_module: { ...inert(["main"], 1, "every mail module is built in"), read: eachOf(text) },
  timer_resolution: inert(["main"], 1, "timeouts are accurate to a tenth of a second", time),
  lock_file: inert(["main"], 1, NOT_IN_NODE, text),
  debug_points: inert(["main"], 1, NOT_IN_NODE, oneOf("stop", "abort")),
  pcre_jit: inert(["main"], 1, NOT_IN_NODE, flag),
  ssl_engine: inert(["main"], 1, NOT_IN_NODE, text),
  ssl_object_cache_inheritable: inert(["main"], 1, NOT_IN_NODE, flag),
} satisfies Rows;
