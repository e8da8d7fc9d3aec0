/** The fields of a session in the access log. */
import type { ProtocolName } from "../../shared/lookup.ts";

/** A session that has ended. Times are in seconds, as nginx's are. */
export interface SessionRecord {
  /** The number that the error log shows as `*7`. */
  readonly connection: number;
  /** Sent with the lookups, so that the endpoint's log has it as well (W3C Trace Context). */
  readonly trace_id: string;
  readonly protocol: ProtocolName;
  readonly remote_addr: string;
  readonly remote_port: number;
  /** The client's name, or nginx's word for its absence; null where no name is looked up. */
  readonly remote_host: string | null;
  readonly server_addr: string;
  readonly server_port: number;
  /** Null in the clear. */
  readonly ssl_protocol: string | null;
  readonly ssl_cipher: string | null;
  readonly ssl_server_name: string | null;
  readonly ssl_session_reused: boolean | null;
  /** The user's name, by `Auth-User` where the lookup replaced it; null without a login attempt. */
  readonly login: string | null;
  readonly login_attempts: number;
  /** The duration of the last lookup. */
  readonly lookup_time: number | null;
  readonly upstream_addr: string | null;
  /** From the dial to the connection. */
  readonly upstream_connect_time: number | null;
  /** From the dial to the end of the upstream's login. */
  readonly upstream_login_time: number | null;
  /** Bytes after the login. */
  readonly bytes_received: number;
  readonly bytes_sent: number;
  readonly session_time: number;
  /** A number of HTTP, as in nginx's stream module: 200 for a session without an error. */
  readonly status: number;
  /** True where the upstream accepted the login. */
  readonly logged_in: boolean;
  /** The reason of the end, in words. */
  readonly end: string;
}
