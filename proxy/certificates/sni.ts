/** Chooses certificates by the host name that a client asks for (SNI, RFC 6066 section 3). */
import type { ServerCertificate } from "./files/certificate.ts";

type Certificates = readonly ServerCertificate[];

export interface SniTable {
  /** For clients that ask for no known name; one certificate for each type of key. */
  readonly default: Certificates;
  /** Keys of `others` by host name or `*.` pattern; empty for the default. */
  readonly names: ReadonlyMap<string, string>;
  /** One certificate for each type of key. */
  readonly others: ReadonlyMap<string, Certificates>;
}

/**
 * If several certificates with keys of one type have a name, the first one is taken.
 *
 * @param own of `ssl_certificate`; they are the default
 * @param found in directories; without any of `ssl_certificate`, the default is for the server's name, or the first
 */
export function sniTable(own: Certificates, found: Certificates, serverName: string): SniTable {
  const sets = new Map<string, ServerCertificate[]>();
  for (const one of [...own, ...found]) {
    for (const name of one.names) addTo(sets.getOrInsertComputed(name, newSet), one);
  }
  const standard = own.length > 0 ? own.reduce(addTo, []) : foundDefault(found, sets, serverName);
  const names = new Map<string, string>();
  const others = new Map<string, Certificates>();
  for (const [name, set] of sets) {
    const id = idOf(set);
    const special = id !== idOf(standard);
    names.set(name, special ? id : "");
    if (special) others.set(id, set);
  }
  return { default: standard, names: others.size === 0 ? new Map() : names, others };
}

/** Looks up a host among names and patterns: its own name, then the pattern with `*` as its first label. */
export function lookUpName<Found>(
  names: ReadonlyMap<string, Found>,
  host: string,
): Found | undefined {
  const name = host.toLowerCase();
  const dot = name.indexOf(".");
  return names.get(name) ?? (dot > 0 ? names.get(`*${name.slice(dot)}`) : undefined);
}

function foundDefault(
  found: Certificates,
  sets: ReadonlyMap<string, Certificates>,
  serverName: string,
): Certificates {
  const [first] = found;
  return lookUpName(sets, serverName) ?? sets.get(first?.names[0] ?? "") ?? found.slice(0, 1);
}

function newSet(): ServerCertificate[] {
  return [];
}

function addTo(set: ServerCertificate[], one: ServerCertificate): ServerCertificate[] {
  if (!set.some(({ keyType }) => keyType === one.keyType)) set.push(one);
  return set;
}

function idOf(set: Certificates): string {
  return set.map(({ id }) => id).join("+");
}
