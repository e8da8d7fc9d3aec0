/** The operator of a run: kicks users, drains the server, and stops sessions. */
import { decoded } from "../../../proxy/bytes.ts";
import type { LookupClient } from "../../../proxy/lookup/index.ts";
import { type Kick, KickList } from "../../../proxy/revocation/index.ts";
import type { Session } from "../../../proxy/session/index.ts";
import type { Add, Network } from "./network.ts";
import type { Observer } from "./observer.ts";
import type { Directory } from "./peers/lookup-endpoint.ts";
import type { Client } from "./peers/client.ts";
import type { Upstream } from "./peers/upstream.ts";

/** A client with its session, and the mail servers that the session has dialled. */
export interface Side {
  readonly client: Client;
  readonly session: Session;
  readonly observer: Observer;
  readonly upstreams: readonly Upstream[];
  /** The state of the clock when the session began, ms. */
  readonly began: number;
  /** Likewise when it ended; null while it goes on. */
  ended: number | null;
  /** Likewise when the server began to shut down. */
  drained: number | null;
}

export class Operator {
  readonly #network: Network;
  readonly #sides: readonly Side[];
  readonly #lookup: LookupClient;
  readonly #directory: Pick<Directory, "users" | "namesUsers">;
  #draining = false;

  constructor(
    network: Network,
    sides: readonly Side[],
    lookup: LookupClient,
    directory: Pick<Directory, "users" | "namesUsers">,
  ) {
    this.#network = network;
    this.#sides = sides;
    this.#lookup = lookup;
    this.#directory = directory;
  }

  options(add: Add): void {
    const { operator } = this.#network.mishaps;
    if (operator === 0) return;
    for (const side of this.#sides) {
      if (side.ended !== null) continue;
      add(operator, () => this.#kickByName(side));
      if (this.#directory.namesUsers) add(2 * operator, () => this.#revoke(side));
      if (!this.#draining) add(operator, () => this.#drain());
      add(operator, () => this.#stop(side));
    }
  }

  #kickByName({ session: { client } }: Side): void {
    const login = client.typedLogin;
    if (login === null) return;
    this.#network.trace(() => `the operator kicks ${login}`);
    this.#kick({ names: [decoded(login)], user: null, bookmark: null });
  }

  /** The fleet kicks by the user's id. A login that waits for its lookup goes on, and the lookup's reply decides. */
  #revoke({ session: { client } }: Side): void {
    const login = client.typedLogin;
    if (login === null || login === "") return;
    const user = this.#directory.users.revoke(login);
    this.#network.trace(() => `the logins of ${login} before version ${user.version} are revoked`);
    this.#kick({ names: [], user, bookmark: "bookmark" });
    for (const side of this.#sides) {
      const granted = side.session.client.user;
      if (granted?.id === user.id && granted.version < user.version) this.#mustHaveEnded(side);
    }
  }

  #kick(kick: Kick): void {
    const kicks = new KickList([kick]);
    this.#lookup.revocations.kick(kick);
    for (const side of this.#sides) {
      if (side.ended === null && side.session.kick(kicks)) this.#mustHaveEnded(side);
    }
  }

  #drain(): void {
    this.#draining = true;
    this.#network.trace(() => "the server shuts down");
    for (const side of this.#sides) {
      if (side.ended !== null) continue;
      const { state } = side.session;
      side.drained = this.#network.clock.now;
      side.session.shutDown();
      // A client in its handshake hears of the end behind it.
      if (state === "commands" || state === "login") this.#mustHaveEnded(side);
    }
  }

  #stop(side: Side): void {
    this.#network.trace(() => "the server is stopped");
    side.session.terminate();
    this.#mustHaveEnded(side);
  }

  #mustHaveEnded(side: Side): void {
    if (side.ended === null) {
      this.#network.violation("a session goes on that an operator has ended");
    }
  }
}
