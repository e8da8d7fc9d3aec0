/** The way upstream. */
import type { Address, Connection, Transport } from "../transport/index.ts";

export { formatProxyHeader } from "./proxy-header.ts";

export interface Dialer {
  /** @throws Error where no connection comes about, or `signal` gives up */
  connect(to: Address, signal: AbortSignal): Promise<Connection>;
}

/** Straight to the server, in the clear. */
export function direct(transport: Transport): Dialer {
  return { connect: (to, signal) => transport.dial(to, signal) };
}
