/** The claims of one session on the configured limits, held until the session ends. */
import { formatAddress, formatNetwork, parseIp } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type { ServerSettings } from "../config/index.ts";
import type { CountedBy, Denial, Limiter } from "../limits/index.ts";
import type { Address } from "../transport/index.ts";

type ConnectionLimit = ServerSettings["connectionLimits"][number];

/** The limits of a server, by what they count. */
export interface ServerLimits {
  readonly client: readonly ConnectionLimit[];
  readonly user: readonly ConnectionLimit[];
  readonly server: readonly ConnectionLimit[];
  readonly loginRate: ServerSettings["limit_login_rate"];
}

/** @returns null for a server without limits */
export function serverLimits({
  connectionLimits,
  limit_login_rate: loginRate,
}: ServerSettings): ServerLimits | null {
  if (connectionLimits.length === 0 && loginRate === null) return null;
  const by = (counted: CountedBy): readonly ConnectionLimit[] =>
    connectionLimits.filter((limit) => limit.by === counted);
  return { client: by("client"), user: by("user"), server: by("server"), loginRate };
}

/** Null where the claims are granted. A promise where another process decides. */
type Verdict = Denial | null | Promise<Denial | null>;

export class SessionLimits {
  readonly #limits: ServerLimits;
  readonly #limiter: Limiter;
  readonly #session: number;
  #claimed = false;

  /** @param session its number in this process */
  constructor(limits: ServerLimits, limiter: Limiter, session: number) {
    this.#limits = limits;
    this.#limiter = limiter;
    this.#session = session;
  }

  onConnect(client: string): Verdict {
    const limits = this.#limits.client;
    if (limits.length === 0) return null;
    this.#claimed = true;
    const claims = limits.flatMap(({ zone, most, room, prefixes }) =>
      networksOf(client, prefixes).map(({ network, factor }, index) => ({
        kind: "connection" as const,
        by: "client" as const,
        zone,
        key: network,
        isWide: index > 0,
        most: most * factor,
        room,
      })),
    );
    return this.#limiter.claim(this.#session, claims);
  }

  onLogin(client: string): Verdict {
    const { loginRate } = this.#limits;
    if (loginRate === null) return null;
    const { rate, burst, prefixes } = loginRate;
    const networks = networksOf(client, prefixes).map(({ network, factor }) => ({
      network,
      rate: rate * factor,
      burst: burst * factor,
    }));
    return this.#limiter.claim(this.#session, [{ kind: "login", networks }]);
  }

  /** The empty login belongs to no user. */
  onUser(user: ByteString): Verdict {
    return user === "" ? null : this.#connections("user", user);
  }

  /** The upstream before is given back. */
  onUpstream(upstream: Address): Verdict {
    if (this.#limits.server.length === 0) return null;
    if (this.#claimed) this.#limiter.release(this.#session, "server");
    return this.#connections("server", formatAddress(upstream));
  }

  release(): void {
    if (this.#claimed) this.#limiter.release(this.#session);
  }

  #connections(by: "user" | "server", key: string): Verdict {
    const limits = this.#limits[by];
    if (limits.length === 0) return null;
    this.#claimed = true;
    return this.#limiter.claim(
      this.#session,
      limits.map(({ zone, most, room }) => ({
        kind: "connection" as const,
        by,
        zone,
        key,
        isWide: false,
        most,
        room,
      })),
    );
  }
}

interface ClientNetwork {
  readonly network: string;
  /** Multiplies the limit. */
  readonly factor: number;
}

/** The networks by which a client counts, the narrowest first. Clients of unix sockets count as one network. */
function networksOf(
  client: string,
  prefixes: ConnectionLimit["prefixes"],
): readonly ClientNetwork[] {
  const address = parseIp(client);
  if (address === null) return [{ network: client, factor: 1 }];
  return prefixes[address.kind()].map(({ length, factor }) => ({
    network: formatNetwork({ address, prefix: length }),
    factor,
  }));
}
