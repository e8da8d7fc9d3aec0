/** Schemas of fields, for the API's checks and for its OpenAPI document. */
import { z } from "@hono/zod-openapi";
import { createSchemaFactory } from "drizzle-zod";

/** Shapes from tables, in a zod that knows of OpenAPI. */
export const { createInsertSchema, createSelectSchema } = createSchemaFactory({ zodInstance: z });

/** The document has to be given it: it would hold the flag as well. */
export const NO_CONTROLS = /^\P{Cc}*$/u;

/** What a person calls something; it stands in logs and lines of text. */
export const Name = z
  .string()
  .min(1)
  .max(255)
  .regex(NO_CONTROLS, "no control characters")
  .openapi({ pattern: NO_CONTROLS.source });

const AnyTime = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

/** A day begins by UTC. */
export const Time = z
  .string()
  .refine(
    (text) => AnyTime.safeParse(text).success,
    "a time such as 2027-01-01T00:00:00Z, or a day such as 2027-01-01",
  )
  .transform((text) => new Date(text))
  .openapi({ example: "2027-01-01T00:00:00Z" });

export const Port = z.int().min(1).max(65_535);
