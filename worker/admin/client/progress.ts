/** Draws a progress bar on a terminal, and nothing elsewhere. */
const WIDTH = 30;

/** ms between two updates. */
const INTERVAL = 100;

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #total: number;
  readonly #started = Date.now();
  #drawn = 0;

  /** @param total bytes; 0 where the size is unknown */
  constructor(total: number, stream: NodeJS.WriteStream = process.stderr) {
    this.#total = total;
    this.#stream = stream;
  }

  update(bytes: number, lines: number): void {
    const now = Date.now();
    if (!this.#stream.isTTY || now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    const share = this.#total === 0 ? 0 : Math.min(bytes / this.#total, 1);
    const bar = "#".repeat(Math.round(share * WIDTH)).padEnd(WIDTH, ".");
    const rate = Math.round((lines * 1000) / Math.max(now - this.#started, 1));
    const percent = `${Math.floor(share * 100)} %`.padStart(5);
    this.#stream.write(`\r[${bar}] ${percent}  ${lines} lines, ${rate} a second \u001b[K`);
  }

  /** Erases the bar, to make room for other lines. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write("\r\u001b[K");
    this.#drawn = 0;
  }
}
