/** Sends lines to a syslog server as nginx does (RFC 3164): one datagram a line, without an answer. */
import { createSocket } from "node:dgram";
import { formatAddress, unixPath } from "../../../shared/address.ts";
import type { LogLevel, SyslogServer } from "../../config/index.ts";
import { LOG_LEVELS } from "../../config/runtime.ts";
import { SECOND, clockText } from "../clock-text.ts";
import type { LogFunction } from "./sink.ts";
import { type Send, unixDatagrams } from "./unix-datagrams.ts";

/** Bytes that may wait for the network before lines are dropped. */
const MOST_WAITING = 1_048_576;

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

export class Syslog {
  readonly #server: SyslogServer;
  readonly #send: Send;
  readonly #tell: LogFunction;
  #isReached = true;

  /** @param tell hears, once an outage, of a server that takes no messages */
  constructor(server: SyslogServer, tell: LogFunction) {
    this.#server = server;
    this.#tell = tell;
    const path = unixPath(server.host);
    this.#send = path === null ? udp(server.host, server.port) : unixDatagrams(path);
  }

  /** @returns false where the line is lost */
  write(line: string, level: LogLevel = this.#server.severity): boolean {
    const { facility, hostname, tag } = this.#server;
    const severity = LOG_LEVELS.length - 1 - LOG_LEVELS.indexOf(level);
    const from = hostname === null ? tag : `${hostname} ${tag}`;
    const head = `<${facility * 8 + severity}>${timestamp()} ${from}: `;
    const isReached = this.#send(Buffer.from(head + line.trimEnd()));
    const wasReached = this.#isReached;
    // Set first, since `tell` may write to this server again.
    this.#isReached = isReached;
    if (wasReached && !isReached) {
      this.#tell("alert", `syslog server ${formatAddress(this.#server)} takes no messages`);
    }
    return isReached;
  }
}

/** A socket that is never connected gets no error from a server that is away, and reaches it when it is back. */
function udp(host: string, port: number): Send {
  const family = host.includes(":") ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    // The host is an address. Without a real lookup, a line right before an exit still goes out.
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

/** `Jan  1 12:00:00` (RFC 3164 section 4.1.2). */
const timestamp = clockText(SECOND, (now) => {
  const day = String(now.getDate()).padStart(2);
  return `${MONTHS[now.getMonth()]} ${day} ${now.toTimeString().slice(0, 8)}`;
});
