/**
 * A clock that stands still until a run moves it. Postern reads `performance.now()` and sets `setTimeout` in places
 * that have no other seam, so a run puts this clock in their place.
 */
import type { Deadline, Expiring } from "../../../proxy/transport/index.ts";

class Timer {
  readonly due: number;
  readonly run: () => void;

  constructor(due: number, run: () => void) {
    this.due = due;
    this.run = run;
  }

  unref(): this {
    return this;
  }
}

export class Clock {
  /** ms. */
  now: number;
  readonly #timers = new Set<Timer>();

  constructor(now: number) {
    this.now = now;
  }

  /** The number of timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  set(run: () => void, ms: number): Timer {
    const timer = new Timer(this.now + Math.max(ms, 0), run);
    this.#timers.add(timer);
    return timer;
  }

  clear(timer: Timer | undefined): void {
    if (timer !== undefined) this.#timers.delete(timer);
  }

  /** ms until the next timer is due; Infinity without any. */
  get wait(): number {
    return (this.#next?.due ?? Number.POSITIVE_INFINITY) - this.now;
  }

  get #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.due < next.due) next = timer;
    }
    return next;
  }

  /** Goes on to the timer that is due next, and runs it. */
  advance(): void {
    const next = this.#next;
    if (next === undefined) return;
    this.#timers.delete(next);
    this.now = Math.max(this.now, next.due);
    next.run();
  }

  deadline(owner: Expiring): Deadline {
    let timer: Timer | undefined;
    return {
      set: (ms) => {
        this.clear(timer);
        timer = ms === Number.POSITIVE_INFINITY ? undefined : this.set(() => owner.expired(), ms);
      },
      clear: () => {
        this.clear(timer);
        timer = undefined;
      },
    };
  }
}

/** The clock of the run that is under way. */
let current = new Clock(0);

export function useClock(clock: Clock): void {
  current = clock;
}

/** Puts the clock of the present run in the place of Node's. @returns what gives Node's back */
export function installClock(): () => void {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const fakes = {
    setTimeout: (run: () => void, ms: number) => current.set(run, ms),
    clearTimeout: (timer: Timer | undefined) => current.clear(timer),
  };
  Object.assign(globalThis, fakes);
  Object.defineProperty(performance, "now", { value: () => current.now, configurable: true });
  return () => {
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
    Reflect.deleteProperty(performance, "now");
  };
}
