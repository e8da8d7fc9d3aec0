import type { Rewrite } from "../rewriting.ts";

export type KnownDifference = {
  /** A line of docs/differences.md or of protocol.md's last section, or what nginx has changed since 1.22. */
  readonly reason: string;
  /** The scripts that must show it, as `topic: name`; where left out, any may. */
  readonly scripts?: RegExp;
  /** Turns the transcript of nginx into the expected one of Postern. */
  readonly expected: Rewrite;
};
