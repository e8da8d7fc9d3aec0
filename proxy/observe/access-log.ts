/**
 * The access log: a line a session, in the operator's own format, or in JSON with its fields named as nginx's
 * stream module names its variables.
 */
import pino from "pino";
import type { AccessLogTarget, LogFormat } from "../config/index.ts";
import { bounded, clipped } from "./line.ts";
import { fill, isTrue } from "./log-format.ts";
import type { SessionRecord } from "./session-record.ts";
import type { Sink } from "./sink.ts";
import type { Sinks } from "./sinks.ts";

/** Bytes in a line: a pipe takes as many in one piece, and workers that share one do not tear each other's lines. */
const LONGEST_LINE = 4096;

type Write = (record: SessionRecord) => void;

export class AccessLog {
  readonly #logs: readonly Write[];

  constructor(targets: readonly AccessLogTarget[], sinks: Sinks) {
    this.#logs = targets.map(({ destination, format, when }) => {
      const sink = sinks.get(destination, "access");
      const write = format === "json" ? jsonTo(sink) : linesTo(sink, format);
      return when === null ? write : (record) => isTrue(when, record) && write(record);
    });
  }

  /** What others have chosen is cut to a length that any line has room for. */
  write(record: SessionRecord): void {
    if (this.#logs.length === 0) return;
    const { login, remote_host: host, ssl_server_name: name, end } = record;
    const line = {
      ...record,
      login: clipped(login),
      remote_host: clipped(host),
      ssl_server_name: clipped(name),
      end: clipped(end),
    };
    for (const write of this.#logs) write(line);
  }
}

function jsonTo(sink: Sink): Write {
  const logger = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: () => ({ log: "access" }) },
    },
    sink,
  );
  return (record) => logger.info(record);
}

function linesTo(sink: Sink, format: LogFormat): Write {
  return (record) => void sink.write(`${bounded(fill(format, record), LONGEST_LINE)}\n`);
}
