/** Prints rows: with tabs for people and `cut`, as JSON for programs. */
import type { Json } from "./api.ts";

export interface Output {
  /** Prints one row by itself. */
  one(row: Json): void;
  /** Prints a row of a list. */
  row(row: Json): void;
}

/** Prints each row as a line of JSON. */
export const json: Output = {
  one: (row) => console.log(JSON.stringify(row)),
  row: (row) => console.log(JSON.stringify(row)),
};

/** Prints a line for each field of one row, and a list under the names of its fields. */
export function text(): Output {
  let isHeaded = false;
  return {
    one(row) {
      for (const [name, value] of Object.entries(row)) console.log(`${name}\t${plain(value)}`);
    },
    row(row) {
      if (!isHeaded) console.log(Object.keys(row).join("\t"));
      isHeaded = true;
      console.log(Object.values(row).map(plain).join("\t"));
    },
  };
}

function plain(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null ? "" : JSON.stringify(value);
}
