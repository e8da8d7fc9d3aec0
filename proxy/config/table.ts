/** Every directive that Postern knows, and every block that it may stand in. */
import { accessLog } from "./modules/log/access-log.ts";
import { authHttp, authHttpSsl } from "./modules/auth-http/auth-http.ts";
import { core } from "./modules/core/core.ts";
import type { Context, Row, Rows, Values } from "./language/row.ts";
import { error_log } from "./modules/log/error-log.ts";
import { events } from "./modules/core/events.ts";
import { fleet } from "./modules/mail/fleet.ts";
import { imap } from "./modules/mail/imap.ts";
import { limits } from "./modules/mail/limit.ts";
import { logFormats } from "./modules/log/log-format.ts";
import { mailCore } from "./modules/mail/mail-core.ts";
import { nextUpstream } from "./modules/proxy/next-upstream.ts";
import { outboundProxy } from "./modules/proxy/outbound-proxy.ts";
import { pop3 } from "./modules/mail/pop3.ts";
import { proxySsl, upstreamSecurity } from "./modules/proxy/proxy-ssl.ts";
import { proxy } from "./modules/proxy/proxy.ts";
import { realip } from "./modules/mail/realip.ts";
import { relayRows } from "./modules/auth-http/relay.ts";
import { smtp } from "./modules/mail/smtp.ts";
import { status } from "./modules/mail/status.ts";
import { security, ssl } from "./tls/index.ts";
import { threadPool } from "./modules/core/thread-pool.ts";

export const mainRows = { ...core, ...threadPool, error_log } satisfies Rows;

export const eventRows = events;

/** Of the mail block as a whole, and of no server. */
export const mailRows = { ...fleet, ...logFormats, ...status } satisfies Rows;

export const serverRows = {
  ...mailCore,
  ...authHttp,
  ...proxy,
  ...nextUpstream,
  ...upstreamSecurity,
  ...outboundProxy,
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

const rows: Rows = {
  ...mainRows,
  ...eventRows,
  ...mailRows,
  ...serverRows,
  ...ssl,
  ...authHttpSsl,
  ...relayRows,
  ...proxySsl,
};

/** Looks up a directive by name, never finding what every object inherits. */
export function row(name: string): Row<unknown> | undefined {
  return Object.hasOwn(rows, name) ? rows[name] : undefined;
}

/** A block: where it may stand, and the context that it opens, if its contents are ours to read. */
interface Block {
  readonly in: Context;
  readonly opens: Context | "skipped";
  readonly repeatable: boolean;
  /** A directive that it cannot be without. */
  readonly needs?: string;
}

export const blocks: ReadonlyMap<string, Block> = new Map([
  ["events", { in: "main", opens: "events", repeatable: false }],
  ["mail", { in: "main", opens: "mail", repeatable: false }],
  ["server", { in: "mail", opens: "server", repeatable: true, needs: "listen" }],
  ["http", { in: "main", opens: "skipped", repeatable: false }],
  ["stream", { in: "main", opens: "skipped", repeatable: false }],
]);

export const names: readonly string[] = [...Object.keys(rows), ...blocks.keys(), "include"];

/** The names that may stand in a context. */
export function namesIn(context: Context): readonly string[] {
  return names.filter((name) => {
    const contexts = row(name)?.in ?? [blocks.get(name)?.in ?? context];
    return contexts.includes(context);
  });
}
