/** Deletes what has expired; wrangler.toml says when. */
import { lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { KNOWN_FOR } from "./known-networks.ts";
import { appPasswords, audit, knownNetworks, serverHealth } from "./schema/index.ts";

const DAY = 24 * 60 * 60 * 1000;

/** Days that an app password is still listed after its end, for whoever wonders why it fails. */
const EXPIRED_DAYS = 30;

/** Tokens stay, expired ones too: without any, the bootstrap secret would work again. */
export async function purge({ DB, AUDIT_DAYS }: Env, now = Date.now()): Promise<void> {
  const ago = (days: number) => new Date(now - days * DAY);
  // A setting that makes no sense must not cost the record.
  const auditDays = Number(AUDIT_DAYS) >= 1 ? Number(AUDIT_DAYS) : 10_000;
  const directory = drizzle(DB);
  await directory.batch([
    directory.delete(appPasswords).where(lt(appPasswords.expires, ago(EXPIRED_DAYS))),
    directory.delete(knownNetworks).where(lt(knownNetworks.lastSuccess, new Date(now - KNOWN_FOR))),
    directory.delete(serverHealth).where(lt(serverHealth.until, new Date(now))),
    directory.delete(audit).where(lt(audit.time, ago(auditDays))),
  ]);
}
