/** How a session stands to the limits: what it is counted under, until it ends. */
import { clientNetwork, formatAddress, parseIp } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type { Claim, CountedBy, Denial } from "../limits/index.ts";
import type { ProtocolHandler, Limit } from "../protocols/index.ts";
import type { Address } from "../transport/index.ts";
import type { Outcome } from "./outcome.ts";
import type { Server } from "./server.ts";
import type { Story } from "./story.ts";

/** A denial, as its client is to hear of it. */
export interface Limited {
  readonly what: Limit;
  /** Has been logged. */
  readonly note: string;
}

export class Standing {
  readonly #server: Server;
  readonly #story: Story;
  readonly #session: number;
  /** What it may be counted by. */
  readonly #counted = new Set<CountedBy>();
  #over = false;

  /** @param session its number in this process */
  constructor(server: Server, story: Story, session: number) {
    this.#server = server;
    this.#story = story;
    this.#session = session;
  }

  /** The client has come. @returns null where it may go on */
  arrives(client: string): Promise<Limited | null> | null {
    return this.#connections("client", () => networkOf(client));
  }

  /** It wants to log in. */
  logsIn(client: string): Promise<Limited | null> | null {
    const { limit_login_rate: limit } = this.#server.settings;
    return limit === null
      ? null
      : this.#claim([{ kind: "login", network: networkOf(client), ...limit }]);
  }

  /** It is this user; an empty name is nobody's. */
  is(user: ByteString): Promise<Limited | null> | null {
    return user === "" ? null : this.#connections("user", () => user);
  }

  /** It goes to this upstream, and not to the one before. */
  goesTo(upstream: Address): Promise<Limited | null> | null {
    if (this.#counted.delete("server")) this.#server.limiter.release(this.#session, "server");
    return this.#connections("server", () => formatAddress(upstream));
  }

  /** The session has ended: nothing is claimed any more. */
  leaves(): void {
    this.#over = true;
    if (this.#counted.size > 0) this.#server.limiter.release(this.#session);
  }

  /** @param key asked for where there is such a limit; most servers have none */
  #connections(by: CountedBy, key: () => string): Promise<Limited | null> | null {
    const limits = this.#server.settings.connectionLimits.filter((limit) => limit.by === by);
    if (limits.length === 0 || this.#over) return null;
    const claims = limits.map((limit) => ({ kind: "connection" as const, key: key(), ...limit }));
    this.#counted.add(by);
    return this.#claim(claims);
  }

  async #claim(claims: readonly Claim[]): Promise<Limited | null> {
    const denial = await this.#server.limiter.claim(this.#session, claims);
    return denial === null ? null : this.#limited(denial);
  }

  #limited({ claim, note }: Denial): Limited {
    this.#server.rejections.count(
      claim.kind === "login" ? "login_rate" : `${claim.by}_connections`,
    );
    this.#story.log("error", note);
    return { what: claim.kind === "login" ? "logins" : "connections", note };
  }
}

/** What comes of an attempt to log in that a limit forbids. */
export function tooMany({ what, note }: Limited, dialogue: ProtocolHandler): Outcome {
  return { kind: "failed", reply: dialogue.limited(what), why: note, limited: true };
}

/** Clients of unix sockets are one. */
function networkOf(client: string): string {
  const ip = parseIp(client);
  return ip === null ? client : clientNetwork(ip);
}
