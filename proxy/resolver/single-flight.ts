/**
 * Shares one piece of work between all callers that ask for the same key meanwhile. When the last caller has given
 * up, the work is aborted with that caller's reason.
 */
export class SingleFlight<Result> {
  readonly #running = new Map<string, Running<Result>>();

  /** Keys whose work is under way. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * @param key of the same work
   * @param start begins the work, which fails soon after its signal aborts
   * @throws what the work throws, or the reason of `signal`, by which this caller alone gives up
   */
  async join(
    key: string,
    signal: AbortSignal,
    start: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, start);
    running.waiting++;
    const mine = Promise.withResolvers<Result>();
    const leave = (): void => mine.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    running.result.then(mine.resolve, mine.reject);
    try {
      return await mine.promise;
    } finally {
      signal.removeEventListener("abort", leave);
      if (--running.waiting === 0) this.#end(key, running, signal);
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<Result>): Running<Result> {
    const controller = new AbortController();
    const running = { controller, result: start(controller.signal), waiting: 0 };
    this.#running.set(key, running);
    return running;
  }

  /** The work is done or aborted. The next caller of the key begins anew. */
  #end(key: string, running: Running<Result>, last: AbortSignal): void {
    if (last.aborted) running.controller.abort(last.reason);
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}

interface Running<Result> {
  readonly controller: AbortController;
  readonly result: Promise<Result>;
  /** Callers. */
  waiting: number;
}
