/** What a policy is: an opinion on which of several servers a user should be sent to. */
import type { Place } from "./location.ts";

/** Of a server, what policies look at. */
export interface Candidate {
  readonly name: string;
  /** Above 0. */
  readonly weight: number;
  /** Where `first` has it in its order. */
  readonly position: number;
  readonly latitude: number | null;
  readonly longitude: number | null;
}

/** Of a lookup, what policies look at. */
export interface Situation {
  /** The user's address, in the form in which the directory keeps it. */
  readonly user: string;
  /** Where the calling proxy is; null where nobody knows. */
  readonly place: Place | null;
  /** From 0 up to, and never, 1; another one each time. */
  readonly random: () => number;
}

/** Puts servers into the order in which they are to be tried. */
export type Policy = <Server extends Candidate>(
  servers: readonly Server[],
  situation: Situation,
) => readonly Server[];
