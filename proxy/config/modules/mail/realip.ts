/** nginx's ngx_mail_realip_module: the peers whose PROXY header is believed. */
import { contains, isNetworkAddress, parseIp, parseNetwork } from "../../../../shared/address.ts";
import { MAIL, type Rows, eachOf } from "../../language/row.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";
import { text } from "../../language/values.ts";

/** Reads a network, `unix:`, or a name that stands for each of its addresses. */
function trusted(directive: Directive): string {
  const word = text(directive);
  if (word === "unix:") return word;
  const network = parseNetwork(word);
  if (network === null) {
    directive.diagnostics.lookUp(word, `host not found in set_real_ip_from "${word}"`, directive);
  } else if (!isNetworkAddress(network)) {
    directive.diagnostics.warn(`low address bits of ${word} are meaningless`, directive);
  }
  return word;
}

/** Replaces each name by all its addresses. */
export function resolveNetworks(words: readonly string[], hosts: Hosts): readonly string[] {
  return words.flatMap((word) => hosts.get(word) ?? [word]);
}

/** Makes a test of a peer's address, or of `unix:`, against the words of `set_real_ip_from`. */
export function trusts(words: readonly string[]): (host: string) => boolean {
  const networks = words.map(parseNetwork).filter((found) => found !== null);
  return (host) => {
    const ip = parseIp(host);
    return ip === null ? words.includes(host) : networks.some((one) => contains(one, ip));
  };
}

export const realip = {
  set_real_ip_from: { in: MAIL, args: 1, read: eachOf(trusted), default: [] as readonly string[] },
} satisfies Rows;
