/** nginx's ngx_mail_realip_module: whose PROXY header is believed. */
import { type Network, isNetworkAddress, parseNetwork } from "../../shared/address.ts";
import { MAIL, type Rows, eachOf } from "./directive.ts";
import type { Hosts } from "./name-lookup.ts";
import type { Directive } from "./parser.ts";
import { text } from "./values.ts";

/** A network, `unix:`, or a name, each of whose addresses is meant. */
function trusted(directive: Directive): string {
  const word = text(directive);
  if (word === "unix:") return word;
  const network = parseNetwork(word);
  if (network === null) {
    directive.findings.lookUp(word, `host not found in set_real_ip_from "${word}"`, directive);
  } else if (!isNetworkAddress(network)) {
    directive.findings.warn(`low address bits of ${word} are meaningless`, directive);
  }
  return word;
}

/** With addresses in place of names. */
export function resolveNetworks(words: readonly string[], hosts: Hosts): readonly string[] {
  return words.flatMap((word) => hosts.get(word) ?? [word]);
}

/** The networks of a list of `set_real_ip_from`. */
export function networks(words: readonly string[]): readonly Network[] {
  return words.map(parseNetwork).filter((found) => found !== null);
}

export const realip = {
  set_real_ip_from: { in: MAIL, args: 1, read: eachOf(trusted), default: [] as readonly string[] },
} satisfies Rows;
