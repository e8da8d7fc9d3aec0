/** What every part of the API is made of: the same checks, the same way to say no. */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { describe, logError } from "../../log.ts";
import type { AdminEnv } from "./access.ts";
import { ApiError, sentenceOf } from "./api-error.ts";

const Problem = z
  .object({ error: z.string().openapi({ description: "What is wrong, and what to do" }) })
  .openapi("Problem");

const json = <Schema extends z.ZodType>(schema: Schema) => ({
  "application/json": { schema },
});

/** A body that must be there. */
export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  body: { required: true, content: json(schema) },
});

export const answer = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: json(schema),
});

/** In the form of every list, for what has one page. */
export const onePage = <Schema extends z.ZodType>(schema: Schema) =>
  answer("All of them", z.object({ items: z.array(schema), next: z.null() }));

/** How any request may fail. */
export const PROBLEMS = { default: answer("It was not done", Problem) } as const;

export const SECURITY: { token: string[] }[] = [{ token: [] }];

export function newApp(): OpenAPIHono<AdminEnv> {
  return new OpenAPIHono<AdminEnv>({
    defaultHook(result) {
      if (!result.success) throw new ApiError(400, sentenceOf(result.error));
    },
  });
}

/** For `bodyLimit`. */
export function tooLarge(most: number): () => never {
  return () => {
    throw new HTTPException(413, { message: `a request has at most ${most} bytes` });
  };
}

/** For `onError`. */
export function errorResponse(error: unknown, c: Context): Response {
  if (error instanceof ApiError) {
    if (error.status === 401) c.header("WWW-Authenticate", "Bearer");
    return c.json({ error: error.message }, error.status);
  }
  if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
  logError("a request failed", { path: c.req.path, reason: describe(error) });
  return c.json({ error: "it cannot be done now; the worker's log says why" }, 503);
}
