/** The `listen` directive, and the default protocol of a port. */
import { formatAddress } from "../../../../shared/address.ts";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { ConfigError, type Place, toPlace } from "../../language/error.ts";
import {
  type Refuse,
  checkHost,
  checkPort,
  isUnix,
  refuseIn,
  splitHost,
  unixHost,
} from "../../language/hosts/parse.ts";
import { type ListenParameters, listenParameters } from "./listen-parameters.ts";
import type { Hosts } from "../../language/hosts/lookup.ts";
import type { Directive } from "../../language/directive.ts";
import { words } from "../../language/values.ts";

export interface Listen extends ListenParameters {
  /** An address as the system writes it, a name, or `unix:` and a path. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** The directive's place. */
  readonly place: Place;
}

/** The protocol that nginx assumes without a `protocol` directive. */
const PROTOCOL_OF_PORT: ReadonlyMap<number, ProtocolName> = new Map([
  [143, "imap"],
  [993, "imap"],
  [110, "pop3"],
  [995, "pop3"],
  [25, "smtp"],
  [465, "smtp"],
  [587, "smtp"],
]);

export function protocolOf(listens: readonly Listen[]): ProtocolName | undefined {
  return listens.map(({ port }) => PROTOCOL_OF_PORT.get(port)).find((name) => name !== undefined);
}

/** Reads one address for each port of a range. */
export function listen(directive: Directive): readonly Listen[] {
  const [address = "", ...given] = words(directive);
  const parameters = listenParameters(given, directive);
  return addresses(address, directive).map((one) => ({
    ...one,
    ...parameters,
    place: toPlace(directive),
  }));
}

/** Reads `143`, `143-145`, `*:143`, `192.0.2.1:143`, `mail.example:143-145`, `[2001:db8::1]:143` or `unix:/path`. */
function addresses(text: string, directive: Directive): readonly Pick<Listen, "host" | "port">[] {
  const where = `"${text}" of the "${directive.name}" directive`;
  const refuse = refuseIn(where, directive);
  if (isUnix(text)) return [{ host: unixHost(text.slice("unix:".length), refuse), port: 0 }];
  if (/[/?]/.test(text)) throw refuse("invalid host");
  const bare = /^\d+(-\d+)?$/.test(text);
  const [written, digits] = bare ? ["*", text] : splitHost(text, refuse);
  // nginx accepts a host without a port and lets the kernel choose one; Postern refuses it.
  const ports = portRange(digits ?? "", refuse);
  const host = written === "*" ? "0.0.0.0" : checkHost(written, refuse);
  directive.diagnostics.lookUp(host, `host not found in ${where}`, directive);
  return ports.map((port) => ({ host, port }));
}

function portRange(text: string, refuse: Refuse): readonly number[] {
  const [, first = text, last = first] = /^([^-]*)-(.*)$/s.exec(text) ?? [];
  const to = checkPort(last, refuse);
  const from = checkPort(first, refuse);
  if (from > to) throw refuse("invalid port range");
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Replaces each name by all its addresses. */
export function resolveListens(listens: readonly Listen[], hosts: Hosts): readonly Listen[] {
  return listens.flatMap((one) => {
    const found = hosts.get(one.host) ?? [one.host];
    return found.map((host) => ({ ...one, host }));
  });
}

/**
 * Refuses what the system would refuse at the start: an address that stands twice in the mail block, and an
 * IPv4 address beside a `[::]` that accepts IPv4 too.
 */
export function refuseClashes(listens: readonly Listen[]): void {
  const seen = new Set<string>();
  const both = listens.filter(({ host, ipv6only }) => host === "::" && !ipv6only);
  for (const { host, port, place } of listens) {
    const pair = formatAddress({ host, port });
    if (seen.has(pair)) {
      throw new ConfigError(`duplicate "${pair}" address and port pair`, place);
    }
    seen.add(pair);
    if (!host.includes(":") && both.some((one) => one.port === port)) {
      throw new ConfigError(`"${pair}" is taken by "[::]:${port}" with ipv6only=off`, place);
    }
  }
}
