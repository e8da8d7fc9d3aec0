/** The building blocks of every route: its schemas, its checks and its error responses. */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { describe, logError } from "../../log/log.ts";
import type { AdminEnv } from "./access.ts";
import { ApiError, sentenceOf } from "./api-error.ts";

const Problem = z
  .object({ error: z.string().openapi({ description: "The problem, and what to do" }) })
  .openapi("Problem");

const json = <Schema extends z.ZodType>(schema: Schema) => ({
  "application/json": { schema },
});

/** A required request body. */
export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  body: { required: true, content: json(schema) },
});

export const answer = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: json(schema),
});

/** The response of a list that has one page. It has the form of all lists. */
export const onePage = <Schema extends z.ZodType>(schema: Schema) =>
  answer("All rows", z.object({ items: z.array(schema), next: z.null() }));

/** The error response of every route. */
export const PROBLEMS = {
  default: answer("The request was refused, or it failed", Problem),
} as const;

export function newApp(): OpenAPIHono<AdminEnv> {
  return new OpenAPIHono<AdminEnv>({
    defaultHook(result) {
      if (!result.success) throw new ApiError(400, sentenceOf(result.error));
    },
  });
}

/** A handler for `bodyLimit`. */
export function tooLarge(most: number): () => never {
  return () => {
    throw new HTTPException(413, { message: `a request may have at most ${most} bytes` });
  };
}

/** A handler for `onError`. */
export function errorResponse(error: unknown, c: Context): Response {
  if (error instanceof ApiError) {
    if (error.status === 401) c.header("WWW-Authenticate", "Bearer");
    return c.json({ error: error.message }, error.status);
  }
  if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
  logError("a request failed", { path: c.req.path, reason: describe(error) });
  return c.json({ error: "this cannot be done now; the worker's log says why" }, 503);
}
