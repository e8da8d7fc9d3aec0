/** The `resolver` directive: the name servers that look up SMTP clients' host names. */
import { ConfigError } from "../../language/error.ts";
import { hostAndPort } from "../../language/hosts/parse.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";
import { seconds, words } from "../../language/values.ts";

interface NameServer {
  /** An address, or a name until `resolveAddresses`. */
  readonly host: string;
  readonly port: number;
}

export interface ResolverSettings {
  readonly servers: readonly NameServer[];
  /** Seconds to keep answers; 0 for their own TTL. */
  readonly valid: number;
  /** Ask for a name's IPv4 or IPv6 addresses; at least one is true. */
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

const DNS_PORT = "53";

/** Reads `off`, or `ADDR[:PORT]…` with `valid=TIME`, `ipv4=on|off` and `ipv6=on|off` at any position. */
export function resolver(directive: Directive): ResolverSettings | null {
  const given = words(directive);
  if (given[0] === "off") return null;
  const servers: NameServer[] = [];
  const settings = { servers, valid: 0, ipv4: true, ipv6: true };
  for (const word of given) {
    const [, name, value = ""] = /^(valid|ipv4|ipv6)=(.*)$/s.exec(word) ?? [];
    if (name === "valid") settings.valid = orInvalid(seconds(value), word, directive);
    else if (name === "ipv4" || name === "ipv6") {
      // nginx accepts these flags in small letters only, unlike others.
      settings[name] = orInvalid(["off", "on"].indexOf(value), word, directive) === 1;
    } else servers.push(hostAndPort(word, DNS_PORT, `resolver "${word}"`, directive));
  }
  if (servers.length === 0) throw new ConfigError("no name servers defined", directive);
  if (!settings.ipv4 && !settings.ipv6) {
    throw new ConfigError('"ipv4" and "ipv6" cannot both be "off"', directive);
  }
  return settings;
}

function orInvalid(value: number, word: string, directive: Directive): number {
  if (value >= 0) return value;
  throw new ConfigError(`invalid parameter: ${word}`, directive);
}

/** Replaces each name by all its addresses, as nginx does. */
export function resolveNameServers(
  settings: ResolverSettings | null,
  hosts: Hosts,
): ResolverSettings | null {
  if (settings === null) return null;
  const servers = settings.servers.flatMap(({ host, port }) =>
    (hosts.get(host) ?? [host]).map((address) => ({ host: address, port })),
  );
  return { ...settings, servers };
}
