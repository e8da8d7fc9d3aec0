/**
 * A lookup's outcome as nginx reads it: in headers alone, whatever the status.
 *
 * All that is written here stays under 700 bytes, as the platform adds headers of its own and nginx
 * reads no more than 1,024.
 */
import { formatAddress } from "../../shared/address.ts";
import { type Freshness, STATUS_OK } from "../../shared/lookup.ts";
import type { Accepted, Outcome } from "./result.ts";
import type { LookupRequest } from "./parse.ts";
import { waitAfter } from "../penalties/wait.ts";
import { RECIPIENT_WORDS, WORDS, type Words } from "./messages.ts";

const LONGEST_HEADERS = 680;

export function replyTo({ protocol, attempt }: LookupRequest, outcome: Outcome): Response {
  const words = { ...WORDS[protocol], ...RECIPIENT_WORDS };
  switch (outcome.kind) {
    case "accepted":
      return accept(outcome);
    case "refused":
      return refuse(words[outcome.reason], waitAfter(attempt, outcome.pressure), outcome.challenge);
    case "blocked":
    case "unavailable":
      return fail(words[outcome.kind]);
  }
}

function accept({ host, port, login, password, ...rest }: Accepted): Response {
  const { tls, tlsName, fallbacks, freshness } = rest;
  const headers = new Headers({ "Auth-Status": STATUS_OK });
  headers.set("Auth-Server", host);
  headers.set("Auth-Port", String(port));
  if (login !== null) headers.set("Auth-User", login);
  if (password !== null) headers.set("Auth-Pass", password);
  if (tls !== null) headers.set("Auth-Upstream-TLS", tls);
  if (tlsName !== null) headers.set("Auth-Upstream-Name", tlsName);
  if (fallbacks.length > 0) headers.set("Auth-Fallback", fallbacks.map(formatAddress).join(", "));
  if (freshness !== undefined) letKeep(headers, freshness);
  return new Response(null, { headers });
}

/** Where there is no room for it, the caller asks each time. */
function letKeep(headers: Headers, { maxAge, staleIfError }: Freshness): void {
  const control = `private, max-age=${maxAge}, stale-if-error=${staleIfError}`;
  const lines = [...headers, ["Cache-Control", control]].map(
    ([name, value]) => `${name}: ${value}`,
  );
  if (lines.join("\r\n").length < LONGEST_HEADERS) headers.set("Cache-Control", control);
}

function refuse(words: Words, wait: number | null, challenge?: string): Response {
  const headers = no(words);
  if (challenge !== undefined) headers.set("Auth-Error-SASL", challenge);
  if (wait !== null) headers.set("Auth-Wait", String(wait));
  return new Response(null, { headers });
}

/** Without `Auth-Wait`, so that the session is closed: its client comes back when it likes. */
function fail(words: Words): Response {
  return new Response(null, { status: 503, headers: no(words) });
}

function no({ text, code }: Words): Headers {
  const headers = new Headers({ "Auth-Status": text });
  if (code !== undefined) headers.set("Auth-Error-Code", code);
  return headers;
}
