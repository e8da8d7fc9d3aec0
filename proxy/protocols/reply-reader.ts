/** An upstream's replies to the commands of a login script. */
import type { ByteString } from "../../shared/lookup.ts";
import { type Command, type Input, type Script, takeLine } from "../transport/index.ts";

export class ReplyReader {
  readonly #input: Input;
  readonly #limit: number;
  /** Bytes that the current reply may still have. */
  #left: number;

  /** @param limit bytes of one reply, over all its lines (`proxy_buffer`) */
  constructor(input: Input, limit: number) {
    this.#input = input;
    this.#limit = limit;
    this.#left = limit;
  }

  /** Sends a command and takes the first line of its reply, with its line end. @throws TooLong */
  *send(command: Command): Script<ByteString> {
    yield command;
    this.#left = this.#limit;
    return yield* this.line();
  }

  /** Takes the greeting, or one more line of the current reply. @throws TooLong */
  *line(): Script<ByteString> {
    const line = yield* takeLine(this.#input, this.#left);
    this.#left -= line.length;
    return line;
  }
}
