// Where Postern may differ from this nginx: each by name, with what Postern must then do instead.
import type { KnownDifference } from "./known-difference.ts";
import { failures } from "./failures.ts";
import { hosts } from "./hosts.ts";
import { older } from "./nginx-versions.ts";
import { roomier } from "./larger-limits.ts";
import { stricter } from "./stricter.ts";
import { upstreams } from "./upstreams.ts";

/** In this order: the first may concern any script, and the others tell of what it leaves. */
export const knownDifferences: readonly KnownDifference[] = [
  ...failures,
  ...stricter,
  ...roomier,
  ...upstreams,
  ...hosts,
  ...older,
];
