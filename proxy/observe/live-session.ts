/** A running session as `-s who` and the status page show it, with the fields of the access log. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { SessionState } from "./metrics/index.ts";

export interface LiveSession {
  /** The number of the session in its process. */
  readonly connection: number;
  readonly trace_id: string;
  readonly protocol: ProtocolName;
  readonly state: SessionState;
  readonly remote_addr: string;
  readonly remote_port: number;
  /** Null in the clear. */
  readonly ssl_protocol: string | null;
  /** The client's last one; null before the first login attempt. */
  readonly user: string | null;
  /** The name that replaced it (`Auth-User`), or null. */
  readonly auth_user: string | null;
  /** The last upstream that was tried. */
  readonly upstream_addr: string | null;
  /** Bytes after the login. */
  readonly bytes_received: number;
  readonly bytes_sent: number;
  /** Seconds so far. */
  readonly session_time: number;
}

/** With the pid of its process. */
export type ListedSession = LiveSession & { readonly worker: number };

/** Lists all sessions, some at a time. `silent` hears the pid of each worker that does not answer. */
export type ListSessions = (
  silent: (pid: number) => void,
) => AsyncIterable<readonly ListedSession[]>;
