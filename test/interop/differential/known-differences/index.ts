// The scripts where Postern may differ from this nginx, and what Postern must do instead.
import type { KnownDifference } from "./known-difference.ts";
import { failures } from "./failures.ts";
import { hosts } from "./hosts.ts";
import { nginxVersions } from "./nginx-versions.ts";
import { largerLimits } from "./larger-limits.ts";
import { stricter } from "./stricter.ts";
import { upstreams } from "./upstreams.ts";

/** Applied in this order: the first difference may concern any script, and the others rewrite its result. */
export const knownDifferences: readonly KnownDifference[] = [
  ...failures,
  ...stricter,
  ...largerLimits,
  ...upstreams,
  ...hosts,
  ...nginxVersions,
];
