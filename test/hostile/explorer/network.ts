/** The simulated network, as connections and peers see it. */
import type { Choices } from "./choices.ts";
import type { Clock } from "./clock.ts";

/** Factors by which mishaps are more likely; 0 for never. Each run has its own, so that many go well to the end. */
export interface Mishaps {
  /** A timer fires before what it waits for. */
  readonly time: number;
  /** Connections fail, break and end. */
  readonly breaks: number;
  /** An operator kicks, drains and stops. */
  readonly operator: number;
}

/** The run that a connection is part of. */
export interface Network {
  readonly clock: Clock;
  readonly choices: Choices;
  /** The probability of each kind of mishap in this run. */
  readonly mishaps: Mishaps;
  /** Adds a line to the script of events, where one is wanted. */
  trace(line: () => string): void;
  /** Postern has broken a promise. */
  violation(promise: string): void;
  /** Runs right behind the present event, as `process.nextTick` would. */
  soon(run: () => void): void;
}

/** The other end. */
export interface Peer {
  /** The connection is established, or TLS is. */
  ready(): void;
  /** The peer has read bytes. */
  received(text: string): void;
  /** Postern has ended its direction, and everything before has been read. */
  ended(): void;
}

/** Adds something that may happen next. The weight is its likeliness beside the other things that may. */
export type Add = (weight: number, happen: () => void) => void;
