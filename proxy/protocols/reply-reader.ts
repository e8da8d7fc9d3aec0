/** An upstream's replies to the commands of a login script. */
import type { ByteString } from "../../shared/lookup.ts";
import { type Command, type Input, MORE, type Script } from "../transport/index.ts";

export interface Reply {
  /** All lines, as they came. */
  readonly text: ByteString;
  /** The last line, with its line end. */
  readonly last: ByteString;
}

export class ReplyReader {
  readonly #input: Input;
  readonly #limit: number;
  readonly #continues: (line: ByteString) => boolean;
  /** Bytes that the current reply may still have. */
  #left: number;

  /**
   * @param limit bytes of one reply, over all its lines (`proxy_buffer`)
   * @param continues tells a line that another line of the same reply follows
   */
  constructor(input: Input, limit: number, continues: (line: ByteString) => boolean) {
    this.#input = input;
    this.#limit = limit;
    this.#continues = continues;
    this.#left = limit;
  }

  /**
   * Sends a command and takes its reply.
   *
   * @param command null for a greeting, which comes unasked
   * @throws TooLong
   */
  *reply(command: Command | null): Script<Reply> {
    if (command !== null) {
      yield command;
      this.#left = this.#limit;
    }
    for (let text = ""; ;) {
      const line = this.#take();
      if (line === null) yield MORE;
      else {
        text += line;
        if (!this.#continues(line)) return { text, last: line };
      }
    }
  }

  /** Takes one line, with its line end. @throws TooLong */
  *line(): Script<ByteString> {
    for (;;) {
      const line = this.#take();
      if (line !== null) return line;
      yield MORE;
    }
  }

  #take(): ByteString | null {
    const line = this.#input.line(this.#left);
    if (line !== null) this.#left -= line.length;
    return line;
  }
}
