/** Admits only callers from the operator's own networks, so that a stolen lookup key is of no use elsewhere. */
import { createMiddleware } from "hono/factory";
import { contains, type Network, parseIp, parseNetwork } from "../../shared/address.ts";
import { logError, logWarning } from "../log/log.ts";
import { refuse } from "./key.ts";

/**
 * Replies 403, without a header that nginx reads, to a caller from another network. Stands behind `requireKey`, so
 * that its warning means a key in the wrong hands.
 */
export const requireNetwork = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  const setting = c.env.LOOKUP_NETWORKS ?? "";
  if (setting.trim() === "") return next();
  const networks = networksIn(setting);
  if (networks === null) {
    logError(
      "every lookup is refused: LOOKUP_NETWORKS is not a list such as 192.0.2.0/24 2001:db8::/32",
    );
    return refuse();
  }
  // Cloudflare sets this header, and drops one that a caller sends.
  const caller = c.req.header("CF-Connecting-IP") ?? "";
  const ip = parseIp(caller);
  if (ip !== null && networks.some((network) => contains(network, ip))) return next();
  const shown = ip === null ? "unknown" : ip.toString();
  logWarning(
    "a caller with a lookup key is not in LOOKUP_NETWORKS: add its network, or replace the key if it is no proxy of yours",
    { caller: shown },
  );
  return refuse();
});

/** The networks of the last setting, because an isolate meets one. */
let read: { readonly setting: string; readonly networks: readonly Network[] | null } | null = null;

/** @returns null if the setting has a word that is no network */
function networksIn(setting: string): readonly Network[] | null {
  if (read?.setting === setting) return read.networks;
  const all = (setting.match(/[^\s,]+/g) ?? []).map(parseNetwork);
  const networks = all.filter((network) => network !== null);
  read = { setting, networks: networks.length === all.length ? networks : null };
  return read.networks;
}
