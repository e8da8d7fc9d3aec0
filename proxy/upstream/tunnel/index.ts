/** The way through an outbound proxy. */
import { formatAddress, parseIp } from "../../../shared/address.ts";
import { canonicalName } from "../../../shared/host-pattern.ts";
import type { OutboundProxy, ProxyCredentials } from "../../config/index.ts";
import { reason } from "../../reason.ts";
import {
  type Address,
  type ClientTls,
  type Connection,
  type Dials,
  type Input,
  orGiveUp,
} from "../../transport/index.ts";
import type { Dial } from "../happy-eyeballs.ts";
import { isOurs } from "../ours.ts";
import { connect } from "./connect.ts";
import { type Dialogue, hold } from "./dialogue.ts";
import { socks5 } from "./socks5.ts";

/** A proxy did not let us through; the message is a sentence with its address, and without secrets. */
export class OutboundProxyError extends Error {
  override name = "OutboundProxyError";
}

const DIALOGUES: Readonly<
  Record<
    OutboundProxy["scheme"],
    (input: Input, to: Address, credentials: ProxyCredentials | null) => Dialogue
  >
> = { http: connect, https: connect, socks5 };

/**
 * Names are the proxy's to resolve. The connection is paused: the server's first words may be in it already.
 *
 * @param tls for the connection to the proxy itself; null in the clear
 */
export function tunnel(transport: Dials, proxy: OutboundProxy, tls: ClientTls | null): Dial {
  const { scheme, host, port, credentials } = proxy;
  const dialogue = DIALOGUES[scheme];
  const open = async (to: Address, signal: AbortSignal): Promise<Connection> => {
    const connection = await transport.dial({ host, port }, signal);
    if (tls !== null) {
      await orGiveUp(connection.connectTls(tls, host), signal, () => connection.destroy());
    }
    await hold(connection, (input) => dialogue(input, to, credentials), signal);
    return connection;
  };
  return async (to, signal) => {
    try {
      return await open({ host: spoken(to.host), port: to.port }, signal);
    } catch (error) {
      if (isOurs(error)) throw error;
      const why = reason(signal.aborted ? signal.reason : error);
      throw new OutboundProxyError(`outbound proxy ${formatAddress(proxy)} ${why}`, {
        cause: error,
      });
    }
  };
}

/** @throws Error for what must not enter a request, since it is no host */
function spoken(host: string): string {
  const name = parseIp(host)?.toString() ?? canonicalName(host);
  if (name === null) throw new Error("cannot be asked for what is no host");
  return name;
}
