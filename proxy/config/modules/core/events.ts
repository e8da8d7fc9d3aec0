/** nginx's event modules: the `events` block. */
import { parseNetwork } from "../../../../shared/address.ts";
import { type Rows, eachOf, inert, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";
import { flag, number, text, time } from "../../language/values.ts";

function connections(directive: Directive): number {
  const digits = text(directive);
  if (!/^\d{1,15}$/.test(digits)) throw new ConfigError(`invalid number "${digits}"`, directive);
  return Number(digits);
}

const POLLERS = ["epoll", "poll", "select", "kqueue", "eventport", "/dev/poll"];

function poller(directive: Directive): string {
  const name = text(directive);
  if (!POLLERS.includes(name)) throw new ConfigError(`invalid event type "${name}"`, directive);
  return name;
}

/** An address, a network, a name, or `unix:` for clients of unix sockets. */
function debugged(directive: Directive): string {
  const word = text(directive);
  const name = /^[a-z\d.-]*[a-z][a-z\d.-]*$/i.test(word);
  if (!name && word !== "unix:" && parseNetwork(word) === null) {
    throw new ConfigError(`host not found in debug_connection "${word}"`, directive);
  }
  return word;
}

const NODE_CHOOSES = "Node chooses";
const NO_MUTEX = "workers accept without a mutex";

export const events = {
  /** Sockets that a worker may have open, listening ones included. */
  worker_connections: { in: ["events"], args: 1, read: once(connections), default: 512 },
  use: inert(["events"], 1, NODE_CHOOSES, poller),
  multi_accept: inert(["events"], 1, NODE_CHOOSES, flag),
  accept_mutex: inert(["events"], 1, NO_MUTEX, flag),
  accept_mutex_delay: inert(["events"], 1, NO_MUTEX, time),
  debug_connection: {
    ...inert(["events"], 1, "there is no debug log of connections"),
    read: eachOf(debugged),
  },
  epoll_events: inert(["events"], 1, NODE_CHOOSES, number),
  worker_aio_requests: inert(["events"], 1, "Postern reads no files while it serves mail", number),
} satisfies Rows;
