/** The client of a session: its connection, its address, and the logins that it has used. */
import { canonicalIp } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type { UserVersion } from "../../shared/user-version.ts";
import type { ClientInfo } from "../protocols/index.ts";
import type { Proxied } from "../proxy-protocol/index.ts";
import { UNAVAILABLE } from "../resolver/index.ts";
import { newTraceId } from "../trace-context.ts";
import type { Address, Connection } from "../transport/index.ts";

export class Client {
  readonly connection: Connection;
  /** The verified host name, or a word of nginx's for a client without one. */
  host: string = UNAVAILABLE;
  /** The content of a PROXY header, believed or not; null without one. */
  proxied: Proxied | null = null;
  /** A W3C trace id, by which lookups, upstreams and logs name the session. */
  readonly trace = newTraceId();
  /** Attempts to log in, so far. */
  attempts = 0;
  /** The login of the last attempt as the client sent it; null before the first. */
  typedLogin: ByteString | null = null;
  /** The login that upstreams are sent: the lookup may replace the client's own. */
  login: ByteString | null = null;
  /** The user of the login that the lookup has granted, at the version of its reply; null where it names none. */
  user: UserVersion | null = null;
  #address: Address;

  constructor(connection: Connection) {
    this.connection = connection;
    this.#address = connection.remote;
  }

  /** The connection's address, or the one that a trusted balancer named. */
  get address(): Address {
    return this.#address;
  }

  /** The facts that upstreams may be sent. */
  get info(): ClientInfo {
    const { host: address, port } = this.#address;
    const { local } = this.connection;
    return { address, port, host: this.host, local, session: this.trace };
  }

  /** @param trusts true for a balancer that is believed (`set_real_ip_from`) */
  introduced(proxied: Proxied, trusts: (host: string) => boolean): void {
    this.proxied = proxied;
    if (!trusts(this.connection.remote.host)) return;
    const { host, port } = proxied.source;
    this.#address = { host: canonicalIp(host) ?? host, port };
  }

  attempted(login: ByteString): void {
    this.attempts++;
    this.typedLogin = login;
    this.login = login;
    this.user = null;
  }
}
