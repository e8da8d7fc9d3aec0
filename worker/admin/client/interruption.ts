/** Ctrl-C asks us to stop at the next good moment; a second one ends the process at once. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export class Interruption implements Disposable {
  #asked = false;
  readonly #ask = () => {
    this.#asked = true;
  };

  constructor() {
    for (const signal of SIGNALS) process.once(signal, this.#ask);
  }

  get asked(): boolean {
    return this.#asked;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.removeListener(signal, this.#ask);
  }
}
