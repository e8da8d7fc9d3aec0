/** A lookup: may this person log in, and where does their mailbox live? */
import type { Context } from "hono";
import { describe, logError } from "../log.ts";
import { record } from "./analytics.ts";
import { authenticate } from "./verify.ts";
import { deliver } from "./deliver.ts";
import { fresh } from "./freshness.ts";
import { type Decision, type Subject, subjectOf, unavailable } from "./result.ts";
import { replyTo } from "./reply.ts";
import { type LookupRequest, MalformedLookup, readLookup } from "./parse.ts";
import { route } from "./route.ts";
import { type Surroundings, surroundings } from "./context.ts";

/** Answers a lookup; 400, without a header that nginx knows, if it is malformed. */
export async function lookup(c: Context<{ Bindings: Env }>): Promise<Response> {
  const request = read(c.req.raw.headers);
  if (request instanceof MalformedLookup) return c.text(`${request.message}\n`, 400);
  const decision = await decide(request, surroundings(c));
  const { outcome } = decision;
  const trace = traceId(c.req.header("Traceparent"));
  record(c.env.ANALYTICS, request, decision, trace);
  if (outcome.kind === "unavailable") {
    const { protocol } = request;
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

/** Verifies the credentials, chooses the server. What fails here is no refusal. */
async function decide(request: LookupRequest, around: Surroundings): Promise<Decision> {
  const { method } = request;
  let subject: Subject | null = null;
  try {
    if (method === "none") return await deliver(request, around);
    const { entry, verdict } = await authenticate(method, request, around);
    subject = entry === null ? null : subjectOf(entry.user);
    if (verdict.kind !== "proved") return { outcome: verdict, subject };
    const outcome = await route(verdict.entry, request, around);
    return { outcome: fresh(outcome, verdict, request, around.freshness), subject };
  } catch (error) {
    return { outcome: unavailable(describe(error)), subject };
  }
}

/** The trace that the caller is in (W3C Trace Context), if it says so in good form. */
function traceId(traceparent: string | undefined): string | undefined {
  return /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(traceparent ?? "")?.[1];
}
