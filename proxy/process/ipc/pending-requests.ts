/** Questions of the primary's to one worker process, and its answers, which are not waited for for ever. */

/** ms that a worker has to answer: one that has just been started, too. */
const PATIENCE = 10_000;

export class Questions<Answer> {
  readonly #patience: number;
  #asked = 0;
  readonly #waiting = new Map<number, (answer: Answer | null) => void>();

  /** @param patience ms that a worker has to answer */
  constructor(patience = PATIENCE) {
    this.#patience = patience;
  }

  /**
   * @param ask sends the question by its number
   * @returns null where the worker has kept silent
   */
  async ask(ask: (question: number) => void): Promise<Answer | null> {
    const question = ++this.#asked;
    const { promise, resolve } = Promise.withResolvers<Answer | null>();
    this.#waiting.set(question, resolve);
    const patience = setTimeout(resolve, this.#patience, null);
    ask(question);
    try {
      return await promise;
    } finally {
      clearTimeout(patience);
      this.#waiting.delete(question);
    }
  }

  answered(question: number, answer: Answer): void {
    this.#waiting.get(question)?.(answer);
  }

  /** The worker has gone. @param answer what is true of nobody */
  gone(answer: Answer): void {
    for (const resolve of this.#waiting.values()) resolve(answer);
  }
}
