/** What is told of a session that goes on; fields as in the access log, where it has them. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { SessionState } from "./metrics/index.ts";

export interface LiveSession {
  /** Its number in its process. */
  readonly connection: number;
  readonly trace_id: string;
  readonly protocol: ProtocolName;
  readonly state: SessionState;
  readonly remote_addr: string;
  readonly remote_port: number;
  /** Null in the clear. */
  readonly ssl_protocol: string | null;
  /** As the client gave it last; null where it has not tried. */
  readonly user: string | null;
  /** What replaced it (`Auth-User`); null where nothing did. */
  readonly auth_user: string | null;
  /** The last one that was tried. */
  readonly upstream_addr: string | null;
  /** Spliced from the client, and to it. */
  readonly bytes_received: number;
  readonly bytes_sent: number;
  /** Seconds, so far. */
  readonly session_time: number;
}

/** With the pid of the process that has it. */
export type ListedSession = LiveSession & { readonly worker: number };

/** All there are, some at a time; `silent` hears the pid of each worker that does not answer. */
export type ListSessions = (
  silent: (pid: number) => void,
) => AsyncIterable<readonly ListedSession[]>;
