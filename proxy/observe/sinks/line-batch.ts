/**
 * Writes the lines of some 2 ms together: a system call costs more than the line of a session. Lines are in the file
 * at exit; a process that is killed loses those of the last 2 ms.
 */
import { PIPE_BUF } from "../line.ts";
import type { FileSink } from "./file-sink.ts";

/** ms. A write at the end of each turn of the event loop costs 25 µs a session: it wakes the loop once more. */
const FLUSH_AFTER = 2;

/** The batches that hold lines. */
const pending = new Set<LineBatch>();
let isExiting = false;

process.on("exit", () => {
  // Sessions that end in a later listener of the same event still write their lines.
  isExiting = true;
  flushPending();
});

function flushPending(): void {
  for (const batch of pending) batch.flush();
  pending.clear();
}

export class LineBatch {
  readonly #file: FileSink;
  readonly #lose: (lines: number) => void;
  #text = "";
  #bytes = 0;
  #lines = 0;

  /** @param lose hears how many lines of a batch found no room */
  constructor(file: FileSink, lose: (lines: number) => void) {
    this.#file = file;
    this.#lose = lose;
  }

  /** @param line with its line end */
  add(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > PIPE_BUF) this.flush();
    this.#text += line;
    this.#bytes += bytes;
    this.#lines++;
    if (isExiting) this.flush();
    else this.#schedule();
  }

  #schedule(): void {
    if (pending.size === 0) setTimeout(flushPending, FLUSH_AFTER);
    pending.add(this);
  }

  flush(): void {
    const lines = this.#lines;
    if (lines === 0) return;
    const text = this.#text;
    this.#text = "";
    this.#bytes = 0;
    this.#lines = 0;
    if (!this.#file.write(text)) this.#lose(lines);
  }
}
