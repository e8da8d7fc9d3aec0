/** The first Ctrl-C requests a stop after the current batch; the second one ends the process at once. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export class Interruption implements Disposable {
  #requested = false;
  readonly #request = () => {
    this.#requested = true;
  };

  constructor() {
    for (const signal of SIGNALS) process.once(signal, this.#request);
  }

  get requested(): boolean {
    return this.#requested;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.removeListener(signal, this.#request);
  }
}
