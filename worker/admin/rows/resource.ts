/** A kind of rows that the API lists, shows and changes. What they have in common is in `collection.ts`. */
import type { z } from "@hono/zod-openapi";
import type { SQL } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Directory } from "../../directory/database.ts";
import type { Fleets } from "../../fleet/client.ts";
import type { Role } from "../http/roles.ts";

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
export interface WriteContext {
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
  /** What changes come to in the table, where that is not what is given. @throws ApiError */
  readonly alter?: (changes: Row, key: Key, context: WriteContext) => Row | Promise<Row>;
  /**
   * Whether a change, or the row's end (null), takes from the user whom the key names first what they may be
   * logged in by.
   */
  readonly revokes?: (changes: Row | null, key: Key) => boolean;
  /** What else is to be done when a row has been deleted. */
  readonly deleted?: (key: Key, bindings: { readonly FLEET: Fleets }) => Promise<void>;
  /** Which rows may be deleted, where not all may, and the sentence for the others. */
  readonly deletable?: { readonly condition: SQL; readonly otherwise: string };
  /** Who may create, change and delete. */
  readonly writer: Role;
  /** The form in which a column's value is kept. @throws ApiError if it can have none */
  readonly normalize: Readonly<Record<string, (value: string, settings: Settings) => string>>;
  /** Adds what the operator does not give. @throws ApiError */
  readonly complete?: (row: Row, context: WriteContext) => Completed | Promise<Completed>;
  /** What `complete` gives once. */
  readonly once?: z.ZodObject;
  /** The last row first. */
  readonly newestFirst?: true;
}
