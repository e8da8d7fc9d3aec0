/** Ours: the addresses that a lookup may name as mail servers. */
import { isNetworkAddress, parseNetwork } from "../../../../shared/address.ts";
import { MAIL, MANY, type Rows, allOf } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";
import { words } from "../../language/values.ts";

/** Reads networks and addresses, or `all`. */
function networks(directive: Directive): readonly string[] {
  const all = words(directive);
  for (const word of all) {
    if (word === "all") continue;
    const network = parseNetwork(word);
    if (network === null) {
      const advice = `"${directive.name}" takes addresses and networks such as 10.0.0.0/8, or all`;
      throw new ConfigError(`invalid parameter "${word}"`, directive, advice);
    }
    if (!isNetworkAddress(network)) {
      directive.diagnostics.warn(`low address bits of ${word} are meaningless`, directive);
    }
  }
  return all;
}

export const upstreamNetworks = {
  upstream_allow: { in: MAIL, args: MANY, read: allOf(networks), default: [] as readonly string[] },
  upstream_deny: { in: MAIL, args: MANY, read: allOf(networks), default: [] as readonly string[] },
} satisfies Rows;
