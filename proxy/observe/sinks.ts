/** Where lines go: files, the standard streams and syslog servers, each opened once a process. */
import type { LogDestination } from "../config/index.ts";
import { FileSink } from "./file-sink.ts";
import type { Sink, LogFunction } from "./sink.ts";
import { Syslog } from "./syslog.ts";

/** What lines are about: sessions, or Postern. */
export type LogKind = "access" | "error";

export class Sinks {
  /** Lines that found no room, by log. */
  readonly lost: Record<LogKind, number> = { access: 0, error: 0 };
  readonly #files = new Map<string, FileSink>();
  readonly #servers = new Map<string, Syslog>();
  readonly #tell: LogFunction;

  /** @param tell hears of sinks that take no lines; what it writes may go to one of them */
  constructor(tell: LogFunction) {
    this.#tell = tell;
  }

  /** @throws Error where a file cannot be opened */
  get(destination: LogDestination, kind: LogKind): Sink {
    const sink = this.#open(destination);
    return {
      write: (line, level) => {
        const taken = sink.write(line, level);
        if (!taken) this.lost[kind]++;
        return taken;
      },
    };
  }

  #open(destination: LogDestination): Sink {
    if ("syslog" in destination) {
      const { syslog } = destination;
      const key = JSON.stringify(syslog);
      return this.#servers.getOrInsertComputed(key, () => new Syslog(syslog, this.#tell));
    }
    const key = JSON.stringify(destination);
    return this.#files.getOrInsertComputed(key, () => new FileSink(destination, this.#tell));
  }

  /** Opens the files anew, by their names: a rotated log is let go of. */
  reopen(): void {
    for (const file of this.#files.values()) file.reopen();
  }
}
