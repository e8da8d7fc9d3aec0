/** Schemas of fields, for the API's checks and for its OpenAPI document. */
import { z } from "@hono/zod-openapi";
import { createSchemaFactory } from "drizzle-zod";

/** Derives schemas from tables, with the zod that OpenAPI extends. */
export const { createInsertSchema, createSelectSchema } = createSchemaFactory({ zodInstance: z });

/** Schemas give its source to the OpenAPI document, because zod would print the flag as well. */
export const NO_CONTROLS = /^\P{Cc}*$/u;

/** A name that a person chose. It must be safe in logs and in lines of text. */
export const Name = z
  .string()
  .min(1)
  .max(255)
  .regex(NO_CONTROLS, "no control characters")
  // A URL's path cannot hold these two (RFC 3986 section 5.2.4), so such a row could not be deleted.
  .refine((text) => text !== "." && text !== "..", "a name other than . and ..")
  .openapi({ pattern: NO_CONTROLS.source });

const AnyTime = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

/** A time, or a day, which begins at midnight UTC. */
export const Time = z
  .string()
  .refine(
    (text) => AnyTime.safeParse(text).success,
    "a time such as 2027-01-01T00:00:00Z, or a day such as 2027-01-01",
  )
  .transform((text) => new Date(text))
  .openapi({ example: "2027-01-01T00:00:00Z" });

export const Port = z.int().min(1).max(65_535);
