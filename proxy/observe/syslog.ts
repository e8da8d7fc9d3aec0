/** A syslog server, spoken to as nginx does (RFC 3164): a datagram a line, and nobody waits for an answer. */
import { createSocket } from "node:dgram";
import { formatAddress, unixPath } from "../../shared/address.ts";
import type { LogLevel, SyslogServer } from "../config/index.ts";
import { LOG_LEVELS } from "../config/runtime.ts";
import type { Sink, LogFunction } from "./sink.ts";
import { type Send, unixDatagrams } from "./unix-datagrams.ts";

/** Bytes that may wait for the network before lines are dropped. */
const MOST_WAITING = 1_048_576;

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

export class Syslog implements Sink {
  readonly #server: SyslogServer;
  readonly #send: Send;
  readonly #tell: LogFunction;
  #reached = true;

  /** @param tell hears, once an outage, of a server that takes no messages */
  constructor(server: SyslogServer, tell: LogFunction) {
    this.#server = server;
    this.#tell = tell;
    const path = unixPath(server.host);
    this.#send = path === null ? udp(server.host, server.port) : unixDatagrams(path);
  }

  write(line: string, level: LogLevel = this.#server.severity): boolean {
    const { facility, hostname, tag } = this.#server;
    const severity = LOG_LEVELS.length - 1 - LOG_LEVELS.indexOf(level);
    const from = hostname === null ? tag : `${hostname} ${tag}`;
    const head = `<${facility * 8 + severity}>${timestamp()} ${from}: `;
    const reached = this.#send(Buffer.from(head + line.trimEnd()));
    const before = this.#reached;
    // First, so that this line cannot bring up the next.
    this.#reached = reached;
    if (before && !reached) {
      this.#tell("alert", `syslog server ${formatAddress(this.#server)} takes no messages`);
    }
    return reached;
  }
}

/** A socket that never connects: it is told of no server that is away, and finds one that comes back. */
function udp(host: string, port: number): Send {
  const family = host.includes(":") ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    // Addresses only, and at once: what is said right before an exit goes out.
    lookup: (address, _options, found) => found(null, address, family),
  });
  socket.on("error", () => {});
  socket.bind({ port: 0, exclusive: true }).unref();
  return (datagram) => {
    if (socket.getSendQueueSize() > MOST_WAITING) return false;
    socket.send(datagram, port, host, () => {});
    return true;
  };
}

/** RFC 3164 section 4.1.2: `Jan  1 12:00:00`. */
function timestamp(): string {
  const now = new Date();
  const day = String(now.getDate()).padStart(2);
  return `${MONTHS[now.getMonth()]} ${day} ${now.toTimeString().slice(0, 8)}`;
}
