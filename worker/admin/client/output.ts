/** What the small commands print: for people and `cut` with tabs, for programs as JSON. */
import type { Json } from "./api.ts";

export interface Output {
  /** One thing. */
  one(row: Json): void;
  /** A row of a list. */
  row(row: Json): void;
}

/** A line of JSON each. */
export const json: Output = {
  one: (row) => console.log(JSON.stringify(row)),
  row: (row) => console.log(JSON.stringify(row)),
};

/** A line for each field of one thing; a list has its fields' names above it. */
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
