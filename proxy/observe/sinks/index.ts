/** Destinations of log lines: files, the standard streams and syslog servers, each opened once in a process. */
import type { LogDestination } from "../../config/index.ts";
import { FileSink } from "./file-sink.ts";
import { LineBatch } from "./line-batch.ts";
import type { LogFunction, Sink } from "./sink.ts";
import { Syslog } from "./syslog.ts";

/** The two logs: of sessions, and of events. */
export type LogKind = "access" | "error";

interface OpenFile {
  readonly sink: FileSink;
  readonly batch: LineBatch;
}

export class Sinks {
  /** Lines that found no room, by log. */
  readonly lost: Record<LogKind, number> = { access: 0, error: 0 };
  readonly #files = new Map<string, OpenFile>();
  readonly #servers = new Map<string, Syslog>();
  readonly #tell: LogFunction;

  /** @param tell hears of sinks that take no lines; the message may go to one of them */
  constructor(tell: LogFunction) {
    this.#tell = tell;
  }

  /**
   * A line of the error log is written at once, and lines of the access log every 2 ms.
   * Lines of both logs in one file keep their order.
   *
   * @throws Error where a file cannot be opened
   */
  get(destination: LogDestination, kind: LogKind): Sink {
    if ("syslog" in destination) {
      const { syslog } = destination;
      const key = JSON.stringify(syslog);
      const server = this.#servers.getOrInsertComputed(key, () => new Syslog(syslog, this.#tell));
      return { write: (line, level) => this.#count(kind, server.write(line, level)) };
    }
    const key = JSON.stringify(destination);
    const { sink, batch } = this.#files.getOrInsertComputed(key, () => this.#open(destination));
    if (kind === "access") return { write: (line) => batch.add(line) };
    return {
      write: (line) => {
        batch.flush();
        this.#count(kind, sink.write(line));
      },
    };
  }

  #open(place: Exclude<LogDestination, { readonly syslog: unknown }>): OpenFile {
    const sink = new FileSink(place, this.#tell);
    return { sink, batch: new LineBatch(sink, (lines) => (this.lost.access += lines)) };
  }

  #count(kind: LogKind, isTaken: boolean): void {
    if (!isTaken) this.lost[kind]++;
  }

  /** Opens the files anew, by their names, after a rotation. Earlier lines stay in the old files. */
  reopen(): void {
    for (const { sink, batch } of this.#files.values()) {
      batch.flush();
      sink.reopen();
    }
  }
}
