/** The cursor at which the next page of a list begins. */
import { z } from "@hono/zod-openapi";
import type { Key } from "./resource.ts";

/** The key of the last row of the page before, opaque to callers. */
export const Cursor = z
  .base64url()
  .transform((text, context): Key => {
    const parsed = CursorKey.safeParse(readJson(text));
    if (parsed.success) return parsed.data;
    context.addIssue("not a cursor that this API gave");
    return z.NEVER;
  })
  .openapi({ type: "string", description: "`next` of the page before" });

const CursorKey = z.array(z.union([z.string(), z.int()]));

function readJson(text: string): unknown {
  try {
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(decodeURIComponent(bytes));
  } catch {
    return undefined;
  }
}

export function cursorOf(key: Key): string {
  const text = btoa(encodeURIComponent(JSON.stringify(key)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
