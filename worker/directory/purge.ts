/** Deletes expired rows. wrangler.toml has the schedule. */
import { lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { KNOWN_FOR } from "./known-networks.ts";
import { REMEMBERED_FOR } from "./password-work.ts";
import { appPasswords, audit, knownNetworks, passwordWork, serverHealth } from "./schema/index.ts";

const DAY = 24 * 60 * 60 * 1000;

/** Days that an expired app password stays listed, so that its user can see why it fails. */
const EXPIRED_DAYS = 30;

/** Keeps expired admin tokens: without any token, the bootstrap secret would work again. */
export async function purge({ DB, AUDIT_DAYS }: Env, now = Date.now()): Promise<void> {
  const ago = (days: number) => new Date(now - days * DAY);
  // An invalid setting must not delete the audit log.
  const auditDays = Number(AUDIT_DAYS) >= 1 ? Number(AUDIT_DAYS) : 10_000;
  const directory = drizzle(DB);
  await directory.batch([
    directory.delete(appPasswords).where(lt(appPasswords.expires, ago(EXPIRED_DAYS))),
    directory.delete(knownNetworks).where(lt(knownNetworks.lastSuccess, new Date(now - KNOWN_FOR))),
    directory.delete(passwordWork).where(lt(passwordWork.seen, new Date(now - REMEMBERED_FOR))),
    directory.delete(serverHealth).where(lt(serverHealth.until, new Date(now))),
    directory.delete(audit).where(lt(audit.time, ago(auditDays))),
  ]);
}
