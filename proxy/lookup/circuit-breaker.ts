/**
 * Spares clients the wait for an endpoint that does not answer: after some lookups in a row of which it has
 * said nothing, one in a while still asks it, and all others fail at once, until it speaks again.
 *
 * Whatever it says counts as an answer, be it an error: what a client can make it say must not keep others out.
 */
import type { ByteString } from "../../shared/lookup.ts";
import { TIMED_OUT } from "../reason.ts";
import type { Answer, Responder } from "./authority.ts";

/** Lookups in a row. */
const MOST_FAILURES = 5;

/** ms between those that still ask. */
const PAUSE = 1000;

export class CircuitBreaker implements Responder {
  readonly #responder: Responder;
  readonly #now: () => number;
  #failures = 0;
  #nextProbe = 0;
  /** Of the last one that failed. */
  #why = "";

  /** @param now ms, never going back */
  constructor(responder: Responder, now: () => number = () => performance.now()) {
    this.#responder = responder;
    this.#now = now;
  }

  async ask(text: ByteString, signal: AbortSignal): Promise<Answer> {
    if (this.#failures >= MOST_FAILURES) {
      if (this.#now() < this.#nextProbe) return this.#unasked();
      this.#nextProbe = this.#now() + PAUSE;
    }
    try {
      const answer = await this.#responder.ask(text, signal);
      if (answer.kind === "unavailable" && !answer.reached) this.#failed(answer.why);
      else this.#failures = 0;
      return answer;
    } catch (error) {
      // A client that has left says nothing about the endpoint.
      if (isTimeout(signal.reason)) this.#failed(TIMED_OUT);
      throw error;
    }
  }

  #failed(why: string): void {
    this.#why = why;
    // Those that come in late, after a long wait of theirs, do not put off what asks next.
    if (++this.#failures === MOST_FAILURES) this.#nextProbe = this.#now() + PAUSE;
  }

  #unasked(): Answer {
    const why = `is not asked after ${this.#failures} failures in a row, the last one: ${this.#why}`;
    return { kind: "unavailable", text: null, errorCode: null, why, reached: false };
  }
}

/** As `AbortSignal.timeout` gives it. */
function isTimeout(why: unknown): boolean {
  return why instanceof DOMException && why.name === "TimeoutError";
}
