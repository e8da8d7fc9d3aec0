/** What the access log tells of a session. */
import type { ProtocolName } from "../../shared/lookup.ts";

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
  /** As nginx's stream module has it, in the numbers of HTTP: 200 for a session that went well. */
  readonly status: number;
  /** Whether the client got through to its mailbox. */
  readonly logged_in: boolean;
  /** How it ended, in words. */
  readonly end: string;
}
