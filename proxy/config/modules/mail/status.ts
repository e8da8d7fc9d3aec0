/** Where monitors and load balancers find out how Postern is; the directive is ours. */
import { type Rows, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import { type Listen, listen, resolveListens } from "./listen.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";

/** One address, as `listen` takes it, without parameters. */
function statusListen(directive: Directive): Listen {
  const [address, ...more] = listen(directive);
  if (address === undefined || more.length > 0) {
    throw new ConfigError('"status_listen" takes one port', directive);
  }
  return address;
}

/** With an address in place of a name, the first one that it has. */
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
