/** The access log: one JSON line a session, its fields named as nginx's stream module names its variables. */
import pino, { type Logger } from "pino";
import type { ProtocolName } from "../../shared/lookup.ts";
import type { AccessLogTarget } from "../config/index.ts";
import type { Sinks } from "./sinks.ts";

/** A session from its first byte to its last. Times are seconds, as nginx's are. */
export interface SessionRecord {
  /** The number that the error log shows as `*7`. */
  readonly connection: number;
  /** What lookups were told of it, and so the lookup endpoint's log as well (W3C Trace Context). */
  readonly trace_id: string;
  readonly protocol: ProtocolName;
  readonly remote_addr: string;
  readonly remote_port: number;
  /** What was found for its name; null where nobody looked. */
  readonly remote_host: string | null;
  readonly server_addr: string;
  readonly server_port: number;
  /** Null in the clear. */
  readonly ssl_protocol: string | null;
  readonly ssl_cipher: string | null;
  readonly ssl_server_name: string | null;
  readonly ssl_session_reused: boolean | null;
  /** As the client gave it; null where it never tried. */
  readonly login: string | null;
  readonly login_attempts: number;
  /** How long the last lookup took. */
  readonly lookup_time: number | null;
  readonly upstream_addr: string | null;
  /** From the dial to the connection that came of it. */
  readonly upstream_connect_time: number | null;
  /** From the dial to the upstream's yes. */
  readonly upstream_login_time: number | null;
  /** Spliced from the client, and to it. */
  readonly bytes_received: number;
  readonly bytes_sent: number;
  readonly session_time: number;
  /** Whether the client got through to its mailbox. */
  readonly logged_in: boolean;
  /** How it ended, in words. */
  readonly end: string;
}

export class AccessLog {
  readonly #logger: Logger | null;

  constructor(target: AccessLogTarget, sinks: Sinks) {
    this.#logger =
      target === "off"
        ? null
        : pino(
            {
              base: null,
              timestamp: pino.stdTimeFunctions.isoTime,
              formatters: { level: () => ({ log: "access" }) },
            },
            sinks.get(target),
          );
  }

  write(record: SessionRecord): void {
    const { login, remote_host: host, ssl_server_name: name, end } = record;
    this.#logger?.info({
      ...record,
      login: clipped(login),
      remote_host: clipped(host),
      ssl_server_name: clipped(name),
      end: clipped(end),
    });
  }
}

/**
 * Characters of a field that somebody else chose: so a line stays below the 4,096 bytes that a pipe takes in
 * one piece, and workers that share one do not tear each other's lines.
 */
const LONGEST_FIELD = 200;

function clipped(text: string | null): string | null {
  return text === null || text.length <= LONGEST_FIELD ? text : `${text.slice(0, LONGEST_FIELD)}…`;
}
