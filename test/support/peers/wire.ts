// A socket read by line or by count, at either end. Text is one character a byte, both ways.
import type { Socket } from "node:net";

export class Hangup extends Error {
  override message = "the other side closed the connection";
}

export class Wire {
  readonly #socket: Socket;
  readonly #lines: string[];
  #held = "";
  #over = false;
  #wake = () => {};

  /** Each line that is read is added to `lines`. */
  constructor(socket: Socket, lines: string[] = []) {
    this.#socket = socket;
    this.#lines = lines;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#held += text;
      this.#wake();
    });
    socket.on("error", () => this.#hangUp());
    socket.on("close", () => this.#hangUp());
    socket.on("end", () => this.#hangUp());
  }

  /** The next line, without its line ending. */
  async line(): Promise<string> {
    let end: number;
    while ((end = this.#held.indexOf("\n")) < 0) await this.#more();
    const line = this.#take(end + 1).replace(/\r?\n$/, "");
    this.#lines.push(line);
    return line;
  }

  async bytes(count: number): Promise<string> {
    while (this.#held.length < count) await this.#more();
    const text = this.#take(count);
    this.#lines.push(text);
    return text;
  }

  write(text: string): void {
    this.#socket.write(text, "latin1");
  }

  end(): void {
    this.#socket.end();
  }

  #take(count: number): string {
    const text = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return text;
  }

  #more(): Promise<void> {
    if (this.#over) throw new Hangup();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #hangUp(): void {
    this.#over = true;
    this.#wake();
  }
}

/** Runs a session to its end, which a client may also bring about by hanging up. */
export function run(wire: Wire, session: () => Promise<void>): void {
  session()
    .catch((error: unknown) => {
      if (!(error instanceof Hangup)) throw error;
    })
    .finally(() => wire.end());
}

/** Text as typed by a person: mail programs send user names and passwords in UTF-8. */
export function utf8(wireText: string): string {
  return Buffer.from(wireText, "latin1").toString("utf8");
}
