/** nginx's core module: the main context. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { type Row, type Rows, eachOf, once } from "./directive.ts";
import { ConfigError } from "./error.ts";
import { number, text, time, words } from "./values.ts";
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

export const core = {
  worker_processes: { in: ["main"], args: 1, read: once(workers), default: 1 },
  pid: {
    in: ["main"],
    args: 1,
    read: once((directive, paths) => resolve(paths.prefix, text(directive))),
    default: null as string | null,
  },
  worker_shutdown_timeout: { in: ["main"], args: 1, read: once(time), default: 0 },
} satisfies Rows;

export const events = {
  worker_connections: { in: ["events"], args: 1, read: once(number), default: 512 },
} satisfies Rows;
