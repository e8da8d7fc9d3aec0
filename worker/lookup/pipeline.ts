/** Answers a lookup: parse, find, verify, penalise, route, reply. */
import type { Context } from "hono";
import { DirectoryFailure } from "../directory/failure.ts";
import { describe, logError } from "../log/log.ts";
import { recordLookup } from "./analytics.ts";
import { type LookupContext, lookupContext } from "./context.ts";
import { deliver } from "./deliver.ts";
import { confirm, find } from "./find.ts";
import { unavailable, VERIFIERS } from "./methods/index.ts";
import { type LookupDecision, type LookupSubject, subjectOf } from "./decision.ts";
import { MalformedLookup, parse } from "./parse.ts";
import { penalise } from "./penalise.ts";
import { reply } from "./reply.ts";
import { route } from "./route.ts";
import { refuseWithoutName, verify } from "./verify.ts";

/** Replies 400, without a header that nginx reads, if the lookup is malformed. */
export async function lookup(c: Context<{ Bindings: Env }>): Promise<Response> {
  const request = parse(c.req.raw.headers);
  if (request instanceof MalformedLookup) return c.text(`${request.message}\n`, 400);
  const context = lookupContext(c, request);
  const decision = await decide(context);
  const trace = traceId(c.req.header("Traceparent"));
  const { failedOpen } = context.penalties;
  recordLookup(c.env.ANALYTICS, request, decision, trace ?? "", failedOpen);
  const { outcome } = decision;
  if (outcome.kind === "unavailable") {
    const { protocol } = request;
    logError(`a lookup cannot be answered: ${outcome.reason}`, { protocol, trace });
  }
  return reply(decision, context);
}

/** An error is a temporary failure, never a refusal. */
async function decide(context: LookupContext): Promise<LookupDecision> {
  const { request } = context;
  const { method } = request;
  let subject: LookupSubject | null = null;
  try {
    if (method === "none") return { ...(await deliver(context)), login: null };
    const refusal = await refuseWithoutName(context);
    if (refusal !== null) return { outcome: refusal, subject, login: null };
    const verifier = await VERIFIERS[method](request, context);
    const { found, verdict, unconfirmed } = await confirm(
      context,
      (session) => find(verifier, session, context),
      (login) => verify(verifier, login, context),
    );
    const final = await penalise(verdict, found, context);
    subject = found.entry === null ? null : subjectOf(found.entry.user);
    if (unconfirmed !== undefined && (final.kind === "refused" || final.kind === "verified")) {
      return { outcome: unavailable("unconfirmed", unconfirmed), subject, login: null };
    }
    if (final.kind !== "verified") return { outcome: final, subject, login: null };
    const outcome = await route(final.entry, context);
    const { id, version } = final.entry.user;
    return { outcome, subject, login: { user: { id, version }, expires: final.expires } };
  } catch (error) {
    const cause = error instanceof DirectoryFailure ? "directory" : "service";
    return { outcome: unavailable(cause, describe(error)), subject, login: null };
  }
}

/** Reads the caller's trace from a well-formed `Traceparent` (W3C Trace Context). */
function traceId(traceparent: string | undefined): string | undefined {
  return /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(traceparent ?? "")?.[1];
}
