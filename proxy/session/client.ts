/** The client of a session: its connection, and who is behind it. */
import { randomUUID } from "node:crypto";
import { canonicalIp } from "../../shared/address.ts";
import type { Proxied } from "../listener/index.ts";
import type { ClientInfo } from "../protocols/index.ts";
import { UNAVAILABLE } from "../resolver/index.ts";
import type { Address, Connection } from "../transport/index.ts";

export class Client {
  readonly connection: Connection;
  /** Its host name, once it has been looked up, or a word of nginx's for why there is none. */
  host: string = UNAVAILABLE;
  /** What a PROXY header said, believed or not; null without one. */
  proxied: Proxied | null = null;
  #address: Address;
  /** Of the form of a W3C trace id: by it the session is found in the logs of everybody who takes part. */
  readonly trace = randomUUID().replaceAll("-", "");

  constructor(connection: Connection) {
    this.connection = connection;
    this.#address = connection.remote;
  }

  /** The client's own address: the connection's, or the one that a trusted balancer named. */
  get address(): Address {
    return this.#address;
  }

  /** What upstreams may be told. */
  get facts(): ClientInfo {
    const { host: address, port } = this.#address;
    const { local } = this.connection;
    return { address, port, host: this.host, local, session: this.trace };
  }

  /** @param trusts whether a balancer is believed (`set_real_ip_from`) */
  introduced(proxied: Proxied, trusts: (host: string) => boolean): void {
    this.proxied = proxied;
    if (!trusts(this.connection.remote.host)) return;
    const { host, port } = proxied.source;
    this.#address = { host: canonicalIp(host) ?? host, port };
  }
}
