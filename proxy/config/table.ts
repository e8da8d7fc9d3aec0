/** Every directive that Postern knows, and every block that it may stand in. */
import { accessLog } from "./access-log.ts";
import { authHttp, authHttpSsl } from "./auth-http.ts";
import { core } from "./core.ts";
import type { Context, Row, Rows, Values } from "./directive.ts";
import { error_log } from "./error-log.ts";
import { events } from "./events.ts";
import { fleet } from "./fleet.ts";
import { imap } from "./imap.ts";
import { limits } from "./limit.ts";
import { logFormats } from "./log-format.ts";
import { mailCore } from "./mail-core.ts";
import { nextUpstream } from "./next-upstream.ts";
import { outboundProxy } from "./outbound-proxy.ts";
import { pop3 } from "./pop3.ts";
import { proxySsl, upstreamSecurity } from "./proxy-ssl.ts";
import { proxy } from "./proxy.ts";
import { realip } from "./realip.ts";
import { relayRows } from "./relay.ts";
import { smtp } from "./smtp.ts";
import { status } from "./status.ts";
import { security, ssl } from "./tls/index.ts";
import { threadPool } from "./thread-pool.ts";

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
