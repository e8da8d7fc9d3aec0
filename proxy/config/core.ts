/** nginx's core module: the main context. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { MANY, type Row, type Rows, eachOf, inert, once } from "./directive.ts";
import { ConfigError } from "./error.ts";
import { flag, number, oneOf, text, time, words } from "./values.ts";
import type { Directive } from "./parser.ts";
import type { Paths } from "./values.ts";

/** nginx's levels, the most severe last; a log of one level takes it and all after it. */
export const LOG_LEVELS = [
  "debug",
  "info",
  "notice",
  "warn",
  "error",
  "crit",
  "alert",
  "emerg",
] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where messages go: `stderr`, or a file's absolute path. */
export interface ErrorLogTarget {
  readonly destination: { readonly stderr: true } | { readonly path: string };
  readonly level: LogLevel;
}

function errorLog(directive: Directive, paths: Paths): ErrorLogTarget {
  const [destination = "", level = "error"] = words(directive);
  const known = LOG_LEVELS.find((name) => name === level);
  if (known === undefined) throw new ConfigError(`invalid log level "${level}"`, directive);
  return {
    destination:
      destination === "stderr" ? { stderr: true } : { path: resolve(paths.prefix, destination) },
    level: known,
  };
}

function workers(directive: Directive): number {
  if (text(directive) === "auto") return availableParallelism();
  const count = number(directive);
  if (count === 0) throw new ConfigError('"worker_processes" must be at least 1', directive);
  return count;
}

export const error_log: Row<readonly ErrorLogTarget[] | null> = {
  in: ["main", "mail", "server"],
  args: [1, 2],
  read: (directive, paths, earlier) => eachOf(errorLog)(directive, paths, earlier ?? undefined),
  default: null,
};

const NOT_OURS = "Node has no such thing";

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
    read: once(words),
    default: null as readonly string[] | null,
    instead: () =>
      process.getuid?.() === 0
        ? null
        : "makes sense only if the primary process runs with super-user privileges, ignored",
  },
  worker_shutdown_timeout: { in: ["main"], args: 1, read: once(time), default: 0 },
  daemon: {
    in: ["main"],
    args: 1,
    read: once(flag),
    default: false,
    instead: (on) => (on ? "has no effect yet: Postern stays in the foreground" : null),
  },
  master_process: {
    in: ["main"],
    args: 1,
    read: once(flag),
    default: true,
    instead: (on) => (on ? null : "has no effect: workers are always processes of their own"),
  },
  env: {
    in: ["main"],
    args: 1,
    read: eachOf(text),
    default: [] as readonly string[],
    instead: () => "has no effect: workers inherit the whole environment",
  },
  load_module: inert(["main"], 1, "every mail module is built in", text),
  working_directory: inert(["main"], 1, "relative paths are relative to the prefix", text),
  worker_rlimit_nofile: inert(
    ["main"],
    1,
    "Node raises its limit to the hard one by itself; set that one (ulimit -Hn, LimitNOFILE=)",
    number,
  ),
  worker_rlimit_core: inert(["main"], 1, NOT_OURS, text),
  worker_priority: inert(["main"], 1, "use nice(1)", text),
  worker_cpu_affinity: inert(["main"], MANY, "the kernel places the workers"),
  thread_pool: inert(["main"], [2, 3], NOT_OURS),
  timer_resolution: inert(["main"], 1, "time limits are kept to a tenth of a second", time),
  lock_file: inert(["main"], 1, NOT_OURS, text),
  debug_points: inert(["main"], 1, NOT_OURS, oneOf("stop", "abort")),
  pcre_jit: inert(["main"], 1, NOT_OURS, flag),
  ssl_engine: inert(["main"], 1, NOT_OURS, text),
  ssl_object_cache_inheritable: inert(["main"], 1, NOT_OURS, flag),
} satisfies Rows;

const POLLERS = ["epoll", "poll", "select", "kqueue", "eventport", "/dev/poll"];

function poller(directive: Directive): string {
  const name = text(directive);
  if (!POLLERS.includes(name)) throw new ConfigError(`invalid event type "${name}"`, directive);
  return name;
}

export const events = {
  worker_connections: inert(
    ["events"],
    1,
    "it is not a limit yet; the limit on open files is",
    number,
  ),
  use: inert(["events"], 1, "Node chooses", poller),
  multi_accept: inert(["events"], 1, "Node chooses", flag),
  accept_mutex: inert(["events"], 1, "workers accept for themselves", flag),
  accept_mutex_delay: inert(["events"], 1, "workers accept for themselves", time),
  debug_connection: inert(["events"], 1, "there is no debug log of connections", text),
  epoll_events: inert(["events"], 1, "Node chooses", number),
  worker_aio_requests: inert(["events"], 1, NOT_OURS, number),
} satisfies Rows;
