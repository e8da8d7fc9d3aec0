/** The claims of one session on the configured limits, held until the session ends. */
import { clientNetwork, formatAddress, parseIp } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type { ServerSettings } from "../config/index.ts";
import type { Claim, CountedBy, Denial, Limiter } from "../limits/index.ts";
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
    return this.#connections("client", networkOf(client));
  }

  onLogin(client: string): Verdict {
    const { loginRate } = this.#limits;
    if (loginRate === null) return null;
    const claim: Claim = { kind: "login", network: networkOf(client), ...loginRate };
    return this.#limiter.claim(this.#session, [claim]);
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

  #connections(by: CountedBy, key: string): Verdict {
    const limits = this.#limits[by];
    if (limits.length === 0) return null;
    this.#claimed = true;
    return this.#limiter.claim(
      this.#session,
      limits.map((limit) => ({ kind: "connection" as const, key, ...limit })),
    );
  }
}

/** Clients of unix sockets count as one network. */
function networkOf(client: string): string {
  const ip = parseIp(client);
  return ip === null ? client : clientNetwork(ip);
}
