/** nginx's ngx_mail_realip_module: whose PROXY header is believed. */
import { type Network, parseNetwork } from "../../shared/address.ts";
import { MAIL, type Rows, eachOf } from "./directive.ts";
import { ConfigError } from "./error.ts";
import type { Directive } from "./parser.ts";
import { text } from "./values.ts";

function network(directive: Directive): string {
  const word = text(directive);
  if (word !== "unix:" && parseNetwork(word) === null) {
    throw new ConfigError(`host not found in set_real_ip_from "${word}"`, directive);
  }
  return word;
}

/** The networks of a list of `set_real_ip_from`. */
export function networks(words: readonly string[]): readonly Network[] {
  return words.map(parseNetwork).filter((found) => found !== null);
}

export const realip = {
  set_real_ip_from: { in: MAIL, args: 1, read: eachOf(network), default: [] as readonly string[] },
} satisfies Rows;
