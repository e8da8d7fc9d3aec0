/** A kind of rows that the API lists, shows and changes. What they have in common is in `collection.ts`. */
import { z } from "@hono/zod-openapi";
import type { SQL } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { createSchemaFactory } from "drizzle-zod";
import type { Directory } from "../directory/database.ts";
import type { Fleets } from "../fleet/the-fleet.ts";
import type { Role } from "./roles.ts";

/** A row, its columns by their names in the schema. */
export type Row = Readonly<Record<string, unknown>>;

/** The values of a row's key, in the order of its columns. */
export type Key = readonly (string | number)[];

/** What of the worker's variables and secrets decides how rows are kept. */
export interface Settings {
  readonly DEFAULT_DOMAIN: string;
  readonly WEAK_PASSWORD_SCHEMES: string;
  readonly SECRET_KEYS?: string;
}

/** What a row is completed by. */
export interface Surroundings {
  readonly settings: Settings;
  readonly directory: Directory;
}

/** A new row, and the secret in it, which only its creator sees and only now. */
export interface Completed {
  readonly row: Row;
  readonly once?: Readonly<Record<string, string>>;
}

export interface Resource {
  /** In paths: `app-passwords`. */
  readonly path: string;
  /** In sentences and in the audit: `app password`. */
  readonly name: string;
  readonly table: SQLiteTable;
  /** The columns of the primary key, in order. */
  readonly key: readonly string[];
  /** Columns by which a list may be narrowed, each with an index. */
  readonly filters: readonly string[];
  /** What its readers see of a row. */
  readonly shown: z.ZodObject;
  /** What is told of a row beside its columns, in SQL that names its tables. */
  readonly beside?: Readonly<Record<string, SQL>>;
  /** What a row is created from; null where none is. */
  readonly create: z.ZodObject | null;
  /** What of a row may be changed; null where nothing may. */
  readonly change: z.ZodObject | null;
  /** What changes come to in the table, where that is not what is given. @throws Refusal */
  readonly alter?: (changes: Row, key: Key, around: Surroundings) => Row | Promise<Row>;
  /**
   * Whether a change, or the row's end (null), takes from the user whom the key names first what they may be
   * logged in by.
   */
  readonly revokes?: (changes: Row | null, key: Key) => boolean;
  /** What else is to be done when a row has been deleted. */
  readonly deleted?: (key: Key, bindings: { readonly FLEET: Fleets }) => Promise<void>;
  /** Which rows may be deleted, where not all may, and the sentence for the others. */
  readonly removable?: { readonly condition: SQL; readonly otherwise: string };
  /** Who may create, change and delete. */
  readonly writer: Role;
  /** The form in which a column's value is kept. @throws Refusal if it can have none */
  readonly normal: Readonly<Record<string, (value: string, settings: Settings) => string>>;
  /** Adds what the operator does not give. @throws Refusal */
  readonly complete?: (row: Row, around: Surroundings) => Completed | Promise<Completed>;
  /** What `complete` gives once. */
  readonly once?: z.ZodObject;
  /** The last row first. */
  readonly newestFirst?: true;
}

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
