/** Where lines go: files and the standard streams, each opened once a process. */
import pino from "pino";

export type Sink = ReturnType<typeof pino.destination>;

export type Destination = { readonly path: string } | { readonly stream: "stdout" | "stderr" };

/** Written at once and in one piece: a line survives the process, and lines of several workers do not mix. */
export class Sinks {
  readonly #open = new Map<string, Sink>();

  /** @throws Error where a file cannot be opened */
  get(destination: Destination): Sink {
    const name = "path" in destination ? destination.path : `/dev/${destination.stream}`;
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const dest = "path" in destination ? destination.path : destination.stream === "stdout" ? 1 : 2;
    const sink = pino.destination({ dest, sync: true, append: true });
    // A reader of our output that went away must not take the mail down with it.
    sink.on("error", () => {});
    this.#open.set(name, sink);
    return sink;
  }

  /** Opens the files anew, by their names: a rotated log is let go of. */
  reopen(): void {
    for (const [name, sink] of this.#open) if (!name.startsWith("/dev/std")) sink.reopen();
  }
}
