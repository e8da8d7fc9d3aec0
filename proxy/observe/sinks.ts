/** Where lines go: files, the standard streams and syslog servers, each opened once a process. */
import pino from "pino";
import type { LogDestination } from "../config/index.ts";
import type { Sink } from "./sink.ts";
import { Syslog } from "./syslog.ts";

type Stream = ReturnType<typeof pino.destination>;

export class Sinks {
  readonly #files = new Map<string, Stream>();
  readonly #streams = new Map<string, Stream>();
  readonly #servers = new Map<string, Syslog>();

  /** @throws Error where a file cannot be opened */
  get(destination: LogDestination): Sink {
    if ("path" in destination) return this.#files.getOrInsertComputed(destination.path, open);
    if ("stream" in destination) {
      const { stream } = destination;
      return this.#streams.getOrInsertComputed(stream, () => open(stream === "stdout" ? 1 : 2));
    }
    const { syslog } = destination;
    return this.#servers.getOrInsertComputed(JSON.stringify(syslog), () => new Syslog(syslog));
  }

  /** Opens the files anew, by their names: a rotated log is let go of. */
  reopen(): void {
    for (const file of this.#files.values()) file.reopen();
  }
}

/** Written at once and in one piece: a line survives the process, and lines of several workers do not mix. */
function open(dest: string | number): Stream {
  const stream = pino.destination({ dest, sync: true, append: true });
  // A reader of our output that went away must not take the mail down with it.
  stream.on("error", () => {});
  return stream;
}
