/** Ours: the address of `/metrics`, `/healthz` and `/readyz`. */
import { type Rows, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import { type Listen, listen, resolveListens } from "./listen.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";

/** Reads one address as `listen` does, without parameters. */
function statusListen(directive: Directive): Listen {
  const [address, ...more] = listen(directive);
  if (address === undefined || more.length > 0) {
    throw new ConfigError('"status_listen" takes one port', directive);
  }
  return address;
}

/** Replaces a name by its first address. */
export function resolveStatus(one: Listen | null, hosts: Hosts): Listen | null {
  return one === null ? null : (resolveListens([one], hosts)[0] ?? null);
}

export const status = {
  status_listen: {
    in: ["mail"],
    args: 1,
    read: once(statusListen),
    default: null as Listen | null,
  },
} satisfies Rows;
