/** The bytes under way from a peer to Postern, in the clear or under TLS, with the peer's hello and its end. */
import type { Choices } from "./choices.ts";

/** A run of bytes. A hello is the start of the peer's handshake. */
interface Segment {
  readonly kind: "clear" | "tls" | "hello" | "fin";
  /** Empty for a hello and for the end. */
  text: string;
}

/** A hello that Postern reads as text, because it waits for none. */
const HELLO = "\x16\x03\x01";

/** Bytes of one read. */
interface Taken {
  readonly text: string;
  readonly tls: boolean;
}

export class Arrivals {
  readonly #segments: Segment[] = [];

  /** The next arrival; undefined where nothing is under way. */
  get next(): Segment["kind"] | undefined {
    return this.#segments[0]?.kind;
  }

  /** True once the peer's end is under way. */
  get hasEnd(): boolean {
    return this.#segments.some(({ kind }) => kind === "fin");
  }

  /** Bytes under way are a stream: a read takes what has arrived, however it was written. */
  add(kind: Segment["kind"], text = ""): void {
    const last = this.#segments.at(-1);
    if (text !== "" && last?.kind === kind) last.text += text;
    else this.#segments.push({ kind, text });
  }

  /** Bytes that Postern has read and put back. */
  putBack(text: string): void {
    if (text === HELLO) this.#segments.unshift({ kind: "hello", text: "" });
    else if (text !== "") this.#segments.unshift({ kind: "clear", text });
  }

  /** Takes a hello or the end. */
  skip(): void {
    this.#segments.shift();
  }

  /** One read: all bytes of a kind, or some of them; now and then with the hello behind them. */
  take(choices: Choices): Taken {
    const [first, second] = this.#segments;
    if (first === undefined || first.text === "") {
      this.skip();
      return { text: HELLO, tls: false };
    }
    const { text } = first;
    const tls = first.kind === "tls";
    const count = choices.oneIn(3) ? 1 + choices.below(text.length) : text.length;
    first.text = text.slice(count);
    if (first.text !== "") return { text: text.slice(0, count), tls };
    this.skip();
    if (tls || second?.kind !== "hello" || !choices.oneIn(3)) return { text, tls };
    this.skip();
    return { text: text + HELLO, tls };
  }
}
