/** The values of the variables of `log_format`. */
import { hostname } from "node:os";
import type { LogVariable } from "../config/index.ts";
import { SECOND, clockText, twoDigits } from "./clock-text.ts";
import type { SessionRecord } from "./session-record.ts";

/** Null where a session has no such value. */
type Value = (record: SessionRecord) => string | null;

export const VARIABLES: Readonly<Record<LogVariable, Value>> = {
  bytes_received: ({ bytes_received }) => `${bytes_received}`,
  bytes_sent: ({ bytes_sent }) => `${bytes_sent}`,
  connection: ({ connection }) => `${connection}`,
  end: ({ end }) => end,
  hostname: () => hostname(),
  logged_in: ({ logged_in }) => (logged_in ? "1" : "0"),
  login: ({ login }) => login,
  login_attempts: ({ login_attempts }) => `${login_attempts}`,
  lookup_time: ({ lookup_time }) => seconds(lookup_time),
  msec: () => (Date.now() / 1000).toFixed(3),
  pid: () => `${process.pid}`,
  protocol: ({ protocol }) => protocol,
  remote_addr: ({ remote_addr }) => remote_addr,
  remote_host: ({ remote_host }) => remote_host,
  remote_port: ({ remote_port }) => `${remote_port}`,
  remote_user: ({ login }) => login,
  server_addr: ({ server_addr }) => server_addr,
  server_port: ({ server_port }) => `${server_port}`,
  session_time: ({ session_time }) => seconds(session_time),
  ssl_cipher: ({ ssl_cipher }) => ssl_cipher,
  ssl_protocol: ({ ssl_protocol }) => ssl_protocol,
  ssl_server_name: ({ ssl_server_name }) => ssl_server_name,
  ssl_session_reused: ({ ssl_session_reused: reused }) =>
    reused === null ? null : reused ? "r" : ".",
  status: ({ status }) => `${status}`,
  time_iso8601: clockText(SECOND, (now) => {
    const { date, time, zone } = local(now);
    return `${date}T${time}${zone.replace(/(?=..$)/, ":")}`;
  }),
  time_local: clockText(SECOND, (now) => {
    const { time, zone } = local(now);
    const [, month, day] = now.toDateString().split(" ");
    return `${day}/${month}/${now.getFullYear()}:${time} ${zone}`;
  }),
  trace_id: ({ trace_id }) => trace_id,
  upstream_addr: ({ upstream_addr }) => upstream_addr,
  upstream_connect_time: ({ upstream_connect_time }) => seconds(upstream_connect_time),
  upstream_login_time: ({ upstream_login_time }) => seconds(upstream_login_time),
};

function seconds(value: number | null): string | null {
  return value === null ? null : value.toFixed(3);
}

/** `2026-11-21`, `18:57:00` and `+0100`. */
function local(now: Date): { readonly date: string; readonly time: string; readonly zone: string } {
  const west = now.getTimezoneOffset();
  const [date = "", time = ""] = new Date(now.getTime() - west * 60_000)
    .toISOString()
    .split(/[T.]/);
  const minutes = Math.abs(west);
  const zone = `${twoDigits(Math.floor(minutes / 60))}${twoDigits(minutes % 60)}`;
  return { date, time, zone: `${west > 0 ? "-" : "+"}${zone}` };
}
