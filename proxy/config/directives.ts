/** Every directive and block of Postern, put together from the modules. */
import type { Rows, Values } from "./language/row.ts";
import { Table } from "./language/table.ts";
import { authHttp, authHttpSsl } from "./modules/auth-http/auth-http.ts";
import { relayRows } from "./modules/auth-http/relay.ts";
import { core } from "./modules/core/core.ts";
import { events } from "./modules/core/events.ts";
import { threadPool } from "./modules/core/thread-pool.ts";
import { accessLog } from "./modules/log/access-log.ts";
import { error_log } from "./modules/log/error-log.ts";
import { logFormats } from "./modules/log/log-format.ts";
import { fleet } from "./modules/mail/fleet.ts";
import { imap } from "./modules/mail/imap.ts";
import { limits } from "./modules/mail/limit.ts";
import { mailCore } from "./modules/mail/mail-core.ts";
import { pop3 } from "./modules/mail/pop3.ts";
import { realip } from "./modules/mail/realip.ts";
import { smtp } from "./modules/mail/smtp.ts";
import { status } from "./modules/mail/status.ts";
import { nextUpstream } from "./modules/proxy/next-upstream.ts";
import { outboundProxy } from "./modules/proxy/outbound-proxy.ts";
import { proxySsl, upstreamSecurity } from "./modules/proxy/proxy-ssl.ts";
import { upstreamNetworks } from "./modules/proxy/upstream-networks.ts";
import { proxy } from "./modules/proxy/proxy.ts";
import { security, ssl } from "./tls/index.ts";

export const mainRows = { ...core, ...threadPool, error_log } satisfies Rows;

export const eventRows = events;

/** The directives that hold for the mail block as a whole. */
export const mailRows = { ...fleet, ...logFormats, ...status } satisfies Rows;

/** The directives whose values are a server's settings as they are. */
export const serverRows = {
  ...mailCore,
  ...authHttp,
  ...proxy,
  ...nextUpstream,
  ...upstreamSecurity,
  ...outboundProxy,
  ...upstreamNetworks,
  ...security,
  ...imap,
  ...pop3,
  ...smtp,
  ...realip,
  ...limits,
  ...accessLog,
  error_log,
} satisfies Rows;

export type MainValues = Values<typeof mainRows>;
export type EventValues = Values<typeof eventRows>;
export type MailValues = Values<typeof mailRows>;
export type ServerValues = Values<typeof serverRows>;

export const directives = new Table(
  {
    ...mainRows,
    ...eventRows,
    ...mailRows,
    ...serverRows,
    ...ssl,
    ...authHttpSsl,
    ...relayRows,
    ...proxySsl,
  },
  new Map([
    ["events", { in: "main", opens: "events", repeatable: false }],
    ["mail", { in: "main", opens: "mail", repeatable: false }],
    ["server", { in: "mail", opens: "server", repeatable: true, needs: "listen" }],
    ["http", { in: "main", opens: "skipped", repeatable: false }],
    ["stream", { in: "main", opens: "skipped", repeatable: false }],
  ]),
);
