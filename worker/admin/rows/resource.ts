/** The description of a resource: a kind of rows that the API lists, shows and changes. `collection.ts` makes routes of it. */
import type { z } from "@hono/zod-openapi";
import type { SQL } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Directory } from "../../directory/database.ts";
import type { FleetNamespace } from "../../fleet/client.ts";
import type { Role } from "../http/roles.ts";

/** A row: its values by the names of the schema's columns. */
export type Row = Readonly<Record<string, unknown>>;

/** The values of a row's key, in the order of its columns. */
export type Key = readonly (string | number)[];

/** The variables and secrets of the worker that decide how rows are stored. */
export interface Settings {
  readonly DEFAULT_DOMAIN: string;
  readonly WEAK_PASSWORD_SCHEMES: string;
  readonly SECRET_KEYS?: string;
}

/** The means with which a new row is completed. */
export interface WriteContext {
  readonly settings: Settings;
  readonly directory: Directory;
}

/** A new row, and the secret that its creator sees only once. */
export interface Completed {
  readonly row: Row;
  readonly once?: Readonly<Record<string, string>>;
}

/** The condition that a row must meet, and the sentence for rows that do not meet it. */
export interface Permission {
  readonly condition: SQL;
  readonly otherwise: string;
}

export interface Resource {
  /** The name in paths: `app-passwords`. */
  readonly path: string;
  /** The name in sentences and in the audit: `app password`. */
  readonly name: string;
  readonly table: SQLiteTable;
  /** The columns of the primary key, in order. */
  readonly key: readonly string[];
  /** Columns that may filter a list. Each has an index. */
  readonly filters: readonly string[];
  /** The schema of a row in responses. */
  readonly shown: z.ZodObject;
  /** Computed columns of a row in responses, in SQL that names its tables. */
  readonly beside?: Readonly<Record<string, SQL>>;
  /** The schema of a new row; null where the API creates none. */
  readonly create: z.ZodObject | null;
  /** The schema of a change; null where the API changes none. */
  readonly change: z.ZodObject | null;
  /** Turns a given change into the columns to write, where the two differ. @throws ApiError */
  readonly alter?: (changes: Row, key: Key, context: WriteContext) => Row | Promise<Row>;
  /** Runs after a row has been deleted. */
  readonly deleted?: (key: Key, bindings: { readonly FLEET: FleetNamespace }) => Promise<void>;
  /** The condition for a row's deletion. */
  readonly deletable?: Permission;
  /** The role that may create, change and delete. */
  readonly writer: Role;
  /** Normalizes the values of columns. @throws ApiError for a value without a normal form */
  readonly normalize: Readonly<Record<string, (value: string, settings: Settings) => string>>;
  /** Adds the columns that the operator does not give. @throws ApiError */
  readonly complete?: (row: Row, context: WriteContext) => Completed | Promise<Completed>;
  /** The schema of the secret that `complete` gives once. */
  readonly once?: z.ZodObject;
  /** True where a list begins with the last row. */
  readonly newestFirst?: true;
}
