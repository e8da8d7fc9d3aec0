// A session as the access log is told of it: anna's, by IMAP, unless a test says otherwise.
import type { SessionRecord } from "../../../proxy/observe/session-record.ts";

export function sessionRecord(changes: Partial<SessionRecord> = {}): SessionRecord {
  return { ...RECORD, ...changes };
}

const RECORD: SessionRecord = {
  connection: 7,
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  protocol: "imap",
  remote_addr: "192.0.2.9",
  remote_host: null,
  remote_port: 50_000,
  server_addr: "192.0.2.1",
  server_port: 143,
  ssl_protocol: null,
  ssl_cipher: null,
  ssl_server_name: null,
  ssl_session_reused: null,
  login: "anna",
  login_attempts: 1,
  lookup_time: 0.01,
  upstream_addr: "192.0.2.20:143",
  upstream_connect_time: 0.01,
  upstream_login_time: 0.02,
  bytes_received: 1,
  bytes_sent: 2,
  session_time: 3,
  status: 200,
  logged_in: true,
  end: "the client closed the connection",
};
