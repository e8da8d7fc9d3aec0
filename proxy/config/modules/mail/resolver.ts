/** The `resolver` directive: the name servers that are asked for the names of SMTP clients. */
import { ConfigError } from "../../language/error.ts";
import { hostAndPort } from "../../language/hosts/parse.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";
import { seconds, words } from "../../language/values.ts";

interface NameServer {
  /** An address; as it is read, perhaps a name. */
  readonly host: string;
  readonly port: number;
}

export interface ResolverSettings {
  readonly servers: readonly NameServer[];
  /** Seconds that answers are kept; 0 for as long as they say themselves. */
  readonly valid: number;
  /** Which addresses of a name are asked for: one of the two, or both. */
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

const DNS_PORT = "53";

/** `off`, or `ADDR[:PORT]…` with `valid=TIME`, `ipv4=on|off` and `ipv6=on|off` among them. */
export function resolver(directive: Directive): ResolverSettings | null {
  const given = words(directive);
  if (given[0] === "off") return null;
  const servers: NameServer[] = [];
  const settings = { servers, valid: 0, ipv4: true, ipv6: true };
  for (const word of given) {
    const [, name, value = ""] = /^(valid|ipv4|ipv6)=(.*)$/s.exec(word) ?? [];
    if (name === "valid") settings.valid = orInvalid(seconds(value), word, directive);
    else if (name === "ipv4" || name === "ipv6") {
      // Unlike other flags of nginx in small letters only.
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

/** With addresses in place of names: all that a name has, as in nginx. */
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
