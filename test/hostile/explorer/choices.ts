/** The choices of one run: drawn from a seed, or replayed from an earlier run. They alone decide all that happens. */

export class Choices {
  /** The choices so far. */
  readonly taken: number[] = [];
  readonly #replayed: readonly number[] | null;
  #state: number;

  /** @param replayed the choices of an earlier run; null for choices by the seed */
  constructor(seed: number, replayed: readonly number[] | null = null) {
    this.#state = Math.imul(seed + 1, 0x9e37_79b1) | 0;
    this.#replayed = replayed;
  }

  /** True once every replayed choice is taken; all further choices are 0. */
  get over(): boolean {
    return this.#replayed !== null && this.taken.length >= this.#replayed.length;
  }

  /** @returns a number from 0 to `count - 1` */
  below(count: number): number {
    const drawn = this.#replayed === null ? this.#draw() : (this.#replayed[this.taken.length] ?? 0);
    const choice = drawn % count;
    this.taken.push(choice);
    return choice;
  }

  /** True once in so many times. */
  oneIn(count: number): boolean {
    return this.below(count) === count - 1;
  }

  pick<const Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.below(values.length)] ?? values[0];
  }

  /** Mulberry32. */
  #draw(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
