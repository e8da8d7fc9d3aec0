// Something that is measured of both proxies.
import type { Load } from "./load.ts";
import type { Rival } from "./rival.ts";

export type Scenario = {
  readonly name: string;
  /** Of what `measure` gives. */
  readonly unit: string;
  /** What Postern's share of nginx's figure should be on the portable transport (design.md), if that is set. */
  readonly target: Target | null;
  /** Measured once, of proxies that have done nothing yet; otherwise round by round, of well-used ones. */
  readonly fresh?: boolean;
  /** One round against one proxy. */
  measure(round: Round): Promise<number>;
};

export type Target = { readonly atMost: number } | { readonly atLeast: number };

export type Round = {
  readonly rival: Rival;
  /** Without clients. */
  readonly load: Load;
  /** How long to look. */
  readonly ms: number;
};
