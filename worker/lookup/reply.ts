/**
 * Writes a lookup's reply, which nginx reads from the headers alone, whatever the status.
 *
 * The headers stay under 700 bytes, since nginx reads at most 1,024, and the platform adds its own. Callers that send
 * `Auth-Accept` read more, and get at most 75 bytes more: the user's version, which no reply may lack.
 */
import { formatAddress } from "../../shared/address.ts";
import { STATUS_OK, USER_ID_HEADER, USER_VERSION_HEADER } from "../../shared/lookup.ts";
import { waitAfter } from "../penalties/index.ts";
import type { LookupContext } from "./context.ts";
import { MESSAGES, RECIPIENT_MESSAGES, type RefusalMessage } from "./messages.ts";
import type { AcceptedLookup, LookupDecision, VerifiedLogin } from "./decision.ts";

/** Characters beyond which `Cache-Control` is left out. */
const MAX_HEADERS_LENGTH = 680 + 75;

export function reply({ outcome, login }: LookupDecision, context: LookupContext): Response {
  const { protocol, attempt, accepts } = context.request;
  const messages = { ...MESSAGES[protocol], ...RECIPIENT_MESSAGES };
  switch (outcome.kind) {
    case "accepted":
      return accepted(outcome, login, context);
    case "refused": {
      const { reason, failureRatio, challenge } = outcome;
      return refused(messages[reason], waitAfter(attempt, failureRatio), challenge);
    }
    case "blocked":
      return failed(messages.blocked, accepts);
    case "unavailable":
      // The caller has the protocol's words itself, and may use an older reply.
      if (outcome.cause === "directory" && accepts.has("cache")) {
        return new Response(null, { status: 503 });
      }
      return failed(messages.unavailable, accepts);
  }
}

function accepted(
  outcome: AcceptedLookup,
  verified: VerifiedLogin | null,
  context: LookupContext,
): Response {
  const { host, port, login, password, tls, tlsName, fallbacks } = outcome;
  const { accepts } = context.request;
  const headers = new Headers({ "Auth-Status": STATUS_OK });
  if (verified !== null && accepts.size > 0) {
    headers.set(USER_ID_HEADER, verified.user.id);
    headers.set(USER_VERSION_HEADER, String(verified.user.version));
  }
  headers.set("Auth-Server", host);
  headers.set("Auth-Port", String(port));
  if (login !== null) headers.set("Auth-User", login);
  if (password !== null) headers.set("Auth-Pass", password);
  if (tls !== null) headers.set("Auth-Upstream-TLS", tls);
  if (tlsName !== null) headers.set("Auth-Upstream-Name", tlsName);
  if (fallbacks.length > 0) headers.set("Auth-Fallback", fallbacks.map(formatAddress).join(", "));
  const control = password === null ? cacheControl(verified?.expires, context) : null;
  // A caller without the header asks each time.
  if (control !== null && fits(headers, control)) headers.set("Cache-Control", control);
  return new Response(null, { headers });
}

/**
 * Lets a caller that accepts `cache` keep the reply to a password or token, until that expires.
 *
 * @param expires ms since the epoch
 * @returns null if the caller must not keep the reply
 */
function cacheControl(
  expires = Number.POSITIVE_INFINITY,
  { request: { method, accepts }, freshness }: LookupContext,
): string | null {
  const reusable = method === "plain" || method === "xoauth2" || method === "oauthbearer";
  if (!reusable || !accepts.has("cache")) return null;
  const left = Math.max(0, Math.floor((expires - Date.now()) / 1000));
  const maxAge = Math.min(freshness.maxAge, left);
  const staleIfError = Math.min(freshness.staleIfError, left - maxAge);
  if (maxAge + staleIfError === 0) return null;
  return `private, max-age=${maxAge}, stale-if-error=${staleIfError}`;
}

function fits(headers: Headers, control: string): boolean {
  const lines = [...headers, ["Cache-Control", control]].map(
    ([name, value]) => `${name}: ${value}`,
  );
  return lines.join("\r\n").length < MAX_HEADERS_LENGTH;
}

function refused(message: RefusalMessage, wait: number | null, challenge?: string): Response {
  const headers = refusalHeaders(message);
  if (challenge !== undefined) headers.set("Auth-Error-SASL", challenge);
  if (wait !== null) headers.set("Auth-Wait", String(wait));
  return new Response(null, { headers });
}

/**
 * Omits `Auth-Wait`, so that the proxy closes the session and the client may connect again.
 *
 * @param accepts empty for nginx, which gets no header that it does not know
 */
function failed(message: RefusalMessage, accepts: ReadonlySet<string>): Response {
  const headers = refusalHeaders(message);
  if (accepts.size > 0) headers.set("Cache-Control", "no-store");
  return new Response(null, { status: 503, headers });
}

function refusalHeaders({ text, code }: RefusalMessage): Headers {
  const headers = new Headers({ "Auth-Status": text });
  if (code !== undefined) headers.set("Auth-Error-Code", code);
  return headers;
}
