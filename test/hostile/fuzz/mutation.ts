/** Valid inputs with some mistakes, for parsers: most mistakes that matter are small ones in a valid input. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import fc from "fast-check";

/** Characters that have a meaning in one of the languages. */
const TELLING = [..."\r\n\0 \t\"'\\{}()[]<>:;,.=+-*/%#$@~", "\x16", "\x7f", "\x85", "\xe4", "\xff"];

interface Mistake {
  readonly kind: "insert" | "delete" | "replace" | "repeat" | "cut";
  readonly at: number;
  readonly length: number;
  readonly character: string;
}

const mistake: fc.Arbitrary<Mistake> = fc.record({
  kind: fc.constantFrom("insert", "delete", "replace", "repeat", "cut"),
  at: fc.nat(2 ** 20),
  length: fc.integer({ min: 1, max: 12 }),
  character: fc.constantFrom(...TELLING, "0", "9", "A", "z"),
});

/** Makes mistakes in a text, or none. */
export type Mistakes = (text: string) => string;

/** Leaves half of the texts as they are, and makes one to three mistakes in the others. */
export const changes: fc.Arbitrary<Mistakes> = fc
  .oneof(fc.constant([]), fc.array(mistake, { minLength: 1, maxLength: 3 }))
  .map((made) => (text) => made.reduce(withMistake, text));

export function mutated(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(valid, changes).map(([text, change]) => change(text));
}

function withMistake(text: string, { kind, at, length, character }: Mistake): string {
  const place = text === "" ? 0 : at % text.length;
  const [before, behind] = [text.slice(0, place), text.slice(place)];
  switch (kind) {
    case "insert":
      return before + character + behind;
    case "delete":
      return before + behind.slice(length);
    case "replace":
      return before + character + behind.slice(1);
    case "repeat":
      return before + behind.slice(0, length).repeat(2) + behind.slice(length);
    case "cut":
      return before;
  }
}

/** A text with its line ends as CRLF or, now and then, as LF. */
export function lines(texts: fc.Arbitrary<readonly string[]>): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.constantFrom("\r\n", "\r\n", "\r\n", "\n"))
    .map(([all, end]) => all.map((text) => text + end).join(""));
}

/** Counts the inputs that a parser accepts, so that a test can show that its inputs get far enough. */
export class Share {
  #inputs = 0;
  #accepted = 0;

  count(accepted: boolean): void {
    this.#inputs++;
    if (accepted) this.#accepted++;
  }

  /** @param least the share that must have been accepted; fewer mistakes than inputs must be found as well */
  assertAbove(least: number, t: TestContext): void {
    const share = this.#accepted / this.#inputs;
    t.diagnostic(`${(share * 100).toFixed(1)} % of ${this.#inputs} inputs are accepted`);
    assert.ok(share >= least, `only ${(share * 100).toFixed(1)} % of the inputs are accepted`);
    assert.ok(this.#accepted < this.#inputs, "no input is refused");
  }
}

/**
 * Asserts that a parser reads a text alike whole, byte by byte, and cut in two at each byte.
 *
 * @param read the result of the pieces, one after another
 * @returns the result
 */
export function readInPieces<Result>(
  text: string,
  read: (pieces: readonly string[]) => Result,
): Result {
  const whole = read([text]);
  assert.deepEqual(read(text.split("")), whole, "byte by byte");
  for (let cut = 1; cut < text.length; cut++) {
    assert.deepEqual(read([text.slice(0, cut), text.slice(cut)]), whole, `cut at ${cut}`);
  }
  return whole;
}
