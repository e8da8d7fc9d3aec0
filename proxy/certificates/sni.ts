/** Which certificates a client is shown: those for the name that it asks for (SNI, RFC 6066 section 3), else the default. */
import type { Certified } from "./files/certificate.ts";

type Certificates = readonly Certified[];

export interface Choice {
  /** One for each type of key. */
  readonly standard: Certificates;
  /** By host name or `*.` pattern, the id of what is shown; empty for the default. */
  readonly names: ReadonlyMap<string, string>;
  /** One for each type of key, by id. */
  readonly others: ReadonlyMap<string, Certificates>;
}

/**
 * The first certificate for a name holds, among those with keys of one type.
 *
 * @param own those of `ssl_certificate`, of which the default is made
 * @param found those of directories; without any of `ssl_certificate`, the default is for the server's name,
 *   else the first
 */
export function choose(own: Certificates, found: Certificates, serverName: string): Choice {
  const sets = new Map<string, Certified[]>();
  for (const one of [...own, ...found]) {
    for (const name of one.names) addTo(sets.getOrInsertComputed(name, newSet), one);
  }
  const standard = own.length > 0 ? own.reduce(addTo, []) : fallback(found, sets, serverName);
  const names = new Map<string, string>();
  const others = new Map<string, Certificates>();
  for (const [name, set] of sets) {
    const id = idOf(set);
    const special = id !== idOf(standard);
    names.set(name, special ? id : "");
    if (special) others.set(id, set);
  }
  return { standard, names: others.size === 0 ? new Map() : names, others };
}

/** What a host name finds among names and patterns: its own first, else the one whose `*` is its first label. */
export function match<Found>(names: ReadonlyMap<string, Found>, host: string): Found | undefined {
  const name = host.toLowerCase();
  const dot = name.indexOf(".");
  return names.get(name) ?? (dot > 0 ? names.get(`*${name.slice(dot)}`) : undefined);
}

function fallback(
  found: Certificates,
  sets: ReadonlyMap<string, Certificates>,
  serverName: string,
): Certificates {
  const [first] = found;
  return match(sets, serverName) ?? sets.get(first?.names[0] ?? "") ?? found.slice(0, 1);
}

function newSet(): Certified[] {
  return [];
}

function addTo(set: Certified[], one: Certified): Certified[] {
  if (!set.some(({ keyType }) => keyType === one.keyType)) set.push(one);
  return set;
}

function idOf(set: Certificates): string {
  return set.map(({ id }) => id).join("+");
}
