/** A lookup: may this person log in, and where does their mailbox live? */
import { DrizzleQueryError } from "drizzle-orm/errors";
import { drizzle } from "drizzle-orm/d1";
import type { Context } from "hono";
import { normalAddress } from "../directory/address.ts";
import { type Directory, findUser } from "../directory/users.ts";
import { logError } from "../log.ts";
import { METHODS } from "./methods.ts";
import type { Outcome } from "./outcome.ts";
import { replyTo } from "./reply.ts";
import { type LookupRequest, MalformedLookup, readLookup } from "./request.ts";
import { route } from "./route.ts";

/** Answers a lookup; 400, without a header that nginx knows, if it is malformed. */
export async function lookup(c: Context<{ Bindings: Env }>): Promise<Response> {
  const request = read(c.req.raw.headers);
  if (request instanceof MalformedLookup) return c.text(`${request.message}\n`, 400);
  const outcome = await decide(drizzle(c.env.DB), request, c.env.DEFAULT_DOMAIN);
  if (outcome.kind === "unavailable") {
    const { protocol } = request;
    const trace = traceId(c.req.header("Traceparent"));
    logError(`a lookup cannot be answered: ${outcome.reason}`, { protocol, trace });
  }
  return replyTo(request, outcome);
}

function read(headers: Headers): LookupRequest | MalformedLookup {
  try {
    return readLookup(headers);
  } catch (error) {
    if (error instanceof MalformedLookup) return error;
    throw error;
  }
}

/** Finds the user, verifies the credentials, chooses the server. What fails here is no refusal. */
async function decide(
  directory: Directory,
  request: LookupRequest,
  defaultDomain: string,
): Promise<Outcome> {
  try {
    const entry = await findUser(directory, normalAddress(request.login, defaultDomain));
    const verified = METHODS[request.method](request, entry);
    return verified.kind === "proved" ? await route(directory, verified.entry, request) : verified;
  } catch (error) {
    return { kind: "unavailable", reason: describe(error) };
  }
}

/** Drizzle's own message holds the statement and what it was asked for; the cause is D1's. */
function describe(error: unknown): string {
  return String(error instanceof DrizzleQueryError ? error.cause : error);
}

/** The trace that the caller is in (W3C Trace Context), if it says so in good form. */
function traceId(traceparent: string | undefined): string | undefined {
  return /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(traceparent ?? "")?.[1];
}
