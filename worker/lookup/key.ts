/** Admits only callers with one of the lookup keys. */
import { createMiddleware } from "hono/factory";
import { logError } from "../log/log.ts";

/** Replies 403, without a header that nginx reads, to a caller without a key. */
export const requireKey = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  const keys = listKeys(c.env.LOOKUP_KEYS);
  if (keys.length === 0) {
    logError("every lookup is refused: set a key with `wrangler secret put LOOKUP_KEYS`");
  }
  if (!(await isOneOf(keys, c.req.header("X-Auth-Key") ?? ""))) return refuse();
  return next();
});

/** Also the reply to a right key from a wrong network, so that a thief does not learn that the key is right. */
export function refuse(): Response {
  return new Response("X-Auth-Key is missing or wrong\n", { status: 403 });
}

/** Splits the setting at commas. There are two keys during a rotation. */
function listKeys(configured: string | undefined): string[] {
  return (configured ?? "")
    .split(",")
    .map((key) => key.trim())
    .filter((key) => key !== "");
}

/** Compares digests, and with all keys, so that the time reveals neither the key's text nor its position. */
async function isOneOf(keys: readonly string[], presented: string): Promise<boolean> {
  const presentedDigest = await digest(presented);
  const keyDigests = await Promise.all(keys.map(digest));
  return keyDigests.filter((key) => crypto.subtle.timingSafeEqual(key, presentedDigest)).length > 0;
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
