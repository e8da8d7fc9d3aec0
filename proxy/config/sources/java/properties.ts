/**
 * Jakarta Mail's properties for outbound proxies, as Open-Xchange documents them: `-Dmail.imap.proxy.host=…`.
 * `imaps`, `pop3s` and `smtps` stand for upstreams under TLS from the first byte.
 */
import { parseIp } from "../../../../shared/address.ts";
import { isHostPattern, splitPatterns } from "../../../../shared/host-pattern.ts";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { encoded } from "../../../bytes.ts";
import { ConfigError, type Place } from "../../language/error.ts";
import type { Diagnostics } from "../../language/diagnostics.ts";
import { type Refuse, checkHost, checkPort, splitHost } from "../../language/hosts/parse.ts";
import { suggest } from "../../language/suggest.ts";
import {
  type OutboundRoutes,
  type OutboundProxy,
  type ProxyCredentials,
  checkCredentials,
  checkName,
} from "../../modules/proxy/outbound-proxy.ts";

/** One `-Dname=value`. */
export interface JavaProperty {
  readonly name: string;
  readonly value: string;
  readonly place: Place;
}

const PROTOCOLS = ["imap", "pop3", "smtp"] as const satisfies readonly ProtocolName[];

/** The kinds of proxy with their default ports. Jakarta Mail uses the first kind that has a host. */
const KINDS = [
  { name: "proxy", scheme: "http", port: 80, others: ["port", "user", "password"] },
  { name: "socks", scheme: "socks5", port: 1080, others: ["port"] },
] as const;

const NAMES = PROTOCOLS.flatMap((protocol) => [
  ...[protocol, `${protocol}s`].flatMap((variant) =>
    KINDS.flatMap(({ name, others }) =>
      ["host", ...others].map((last) => `mail.${variant}.${name}.${last}`),
    ),
  ),
  `mail.${protocol}.proxy.nonProxyHosts`,
]);

/** The outbound proxies of each protocol. */
export type JavaRoutes = Readonly<Record<ProtocolName, OutboundRoutes>>;

/**
 * The last of several properties of one name applies, and an empty value counts as no property.
 *
 * @throws ConfigError for a `mail.*` property that is unknown or invalid, without a value that may be a secret
 */
export function readProperties(all: readonly JavaProperty[], diagnostics: Diagnostics): JavaRoutes {
  for (const { name, place } of all) {
    if (NAMES.includes(name)) continue;
    if (name.startsWith("mail.")) throw unknown(name, place);
    diagnostics.note(
      `"-D${shownName(name)}" has no effect: Postern reads only Java's mail.* properties`,
      place,
    );
  }
  const given = new Map(all.map((property) => [property.name, property]));
  const properties = new Properties(
    new Map([...given].filter(([, { value }]) => value !== "")),
    diagnostics,
  );
  const of = (protocol: ProtocolName): OutboundRoutes => ({
    clear: properties.proxy(protocol),
    tls: properties.proxy(`${protocol}s`),
    bypass: properties.patterns(`mail.${protocol}.proxy.nonProxyHosts`),
  });
  return { imap: of("imap"), pop3: of("pop3"), smtp: of("smtp") };
}

function unknown(name: string, place: Place): ConfigError {
  const suggestion = suggest(name, NAMES);
  const advice =
    suggestion === null
      ? "the known names are mail.PROTOCOL.proxy.* and mail.PROTOCOL.socks.* of imap, pop3, smtp, imaps, pop3s and smtps"
      : `did you mean "${suggestion}"?`;
  return new ConfigError(`unknown property "${shownName(name)}"`, place, advice);
}

/** Leaves out what follows the name where the `=` is missing, since it may be a secret. */
function shownName(name: string): string {
  return name.replace(/[^\w.-].*/s, "...");
}

class Properties {
  readonly #given: ReadonlyMap<string, JavaProperty>;
  readonly #diagnostics: Diagnostics;

  constructor(given: ReadonlyMap<string, JavaProperty>, diagnostics: Diagnostics) {
    this.#given = given;
    this.#diagnostics = diagnostics;
  }

  /** @param variant `imap`, `imaps` */
  proxy(variant: string): OutboundProxy | null {
    const [first, second] = KINDS.map((kind) =>
      this.#proxyOf(`mail.${variant}.${kind.name}`, kind),
    );
    if (first && second) {
      const { place } = this.#given.get(`mail.${variant}.socks.host`) ?? {};
      const what = `"mail.${variant}.socks.host" has no effect beside "mail.${variant}.proxy.host"`;
      if (place !== undefined) this.#diagnostics.note(what, place);
    }
    return first ?? second ?? null;
  }

  patterns(name: string): readonly string[] {
    const property = this.#given.get(name);
    if (property === undefined) return [];
    const patterns = splitPatterns(property.value);
    const wrong = patterns.find((pattern) => !isHostPattern(pattern));
    if (wrong === undefined) return patterns;
    throw new ConfigError(`invalid pattern "${wrong}" in "${name}"`, property.place);
  }

  #proxyOf(prefix: string, { scheme, port, others }: (typeof KINDS)[number]): OutboundProxy | null {
    const host = this.#given.get(`${prefix}.host`);
    if (host === undefined) {
      for (const last of others) this.#refuseAlone(`${prefix}.${last}`, `${prefix}.host`);
      return null;
    }
    const [name, ownPort] = hostAndPort(host);
    const given = this.#given.get(`${prefix}.port`);
    return {
      scheme,
      host: name,
      port: given === undefined ? (ownPort ?? port) : portOf(given),
      credentials: this.#credentials(prefix),
    };
  }

  #credentials(prefix: string): ProxyCredentials | null {
    const user = this.#given.get(`${prefix}.user`);
    const password = this.#given.get(`${prefix}.password`);
    if (user === undefined) this.#refuseAlone(`${prefix}.password`, `${prefix}.user`);
    if (password === undefined) this.#refuseAlone(`${prefix}.user`, `${prefix}.password`);
    if (user === undefined || password === undefined) return null;
    const credentials = { user: encoded(user.value), password: encoded(password.value) };
    checkCredentials("http", credentials, (what) => refusal(what, user));
    return credentials;
  }

  #refuseAlone(name: string, wanted: string): void {
    const property = this.#given.get(name);
    if (property === undefined) return;
    const advice = `add -D${wanted}=…`;
    throw new ConfigError(`"${name}" is given without "${wanted}"`, property.place, advice);
  }
}

/** Reads a host with a port behind it, as Jakarta Mail does, or an IPv6 address, which Jakarta Mail does not read. */
function hostAndPort(property: JavaProperty): readonly [host: string, port: number | null] {
  const { value } = property;
  const shown = value.replace(/.*@/s, "***@");
  const refuse: Refuse = (what) =>
    new ConfigError(
      `${what} "${shown}" in "${property.name}"`,
      property.place,
      `"${property.name}" takes a name or an address, not a URL`,
    );
  const ip = parseIp(value);
  if (ip !== null) return [ip.toString(), null];
  const [written, digits] = splitHost(value, refuse);
  const port = digits === null ? null : checkPort(digits, refuse);
  return [checkName(checkHost(written, refuse), refuse), port];
}

function portOf(property: JavaProperty): number {
  return checkPort(property.value, (what) => refusal(`${what} "${property.value}"`, property));
}

function refusal(what: string, { name, place }: JavaProperty): ConfigError {
  return new ConfigError(`${what} in "${name}"`, place);
}
