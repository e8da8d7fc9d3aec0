import type { Coordinates } from "./coordinates.ts";

/** The fields of a server that policies use. */
export interface PolicyServer {
  readonly name: string;
  /** Above 0. */
  readonly weight: number;
  /** The server's position in the order of `first`. */
  readonly position: number;
  readonly latitude: number | null;
  readonly longitude: number | null;
}

/** The fields of a lookup that policies use. */
export interface PolicyInput {
  /** The user's address, in the form of `normalAddress`. */
  readonly user: string;
  /** The place of the calling proxy; null if it is unknown. */
  readonly coordinates: Coordinates | null;
  /** Returns a number from 0 up to but not including 1. */
  readonly random: () => number;
}

/** Ranks servers. The first one is tried first. */
export type Policy = <Server extends PolicyServer>(
  servers: readonly Server[],
  input: PolicyInput,
) => readonly Server[];
