/** Work that several wait for: done once, and given up, for the last one's reason, when nobody waits any more. */
export class SingleFlight<Result> {
  readonly #running = new Map<string, Running<Result>>();

  /** How much is being done. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * @param key what is the same work
   * @param start begins it; to fail soon after its signal gives up
   * @throws what the work throws, or the reason of `signal`, which gives up for this one alone
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

  /** Done or given up: either way the next one who asks begins anew. */
  #end(key: string, running: Running<Result>, last: AbortSignal): void {
    if (last.aborted) running.controller.abort(last.reason);
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}

interface Running<Result> {
  readonly controller: AbortController;
  readonly result: Promise<Result>;
  waiting: number;
}
