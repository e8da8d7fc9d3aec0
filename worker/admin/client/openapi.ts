/** Learns the resources and their operations from the API's OpenAPI document. */
import { type Api, type Json, asObject } from "./api.ts";

export interface Field {
  readonly name: string;
  /** Its JSON types. */
  readonly types: readonly string[];
  /** The permitted values, in words. */
  readonly values: string;
  readonly description: string;
  /** True where the value must not appear on a command line. */
  readonly isSecret: boolean;
}

export interface Resource {
  /** `app-passwords` */
  readonly name: string;
  /** The parts of the key, in order. */
  readonly key: readonly string[];
  /** The query parameters of the list; null where there is no list. */
  readonly queries: readonly string[] | null;
  /** The fields of a new row; null where none can be created. */
  readonly create: readonly Field[] | null;
  /** The fields that can be changed; null where none can. */
  readonly change: readonly Field[] | null;
  readonly canShow: boolean;
  readonly canDelete: boolean;
  /** The other operations on a row: `move`. */
  readonly actions: ReadonlySet<string>;
  /** A note on the response of a creation. */
  readonly note: string;
}

/** @throws CommandError */
export async function discover(api: Api): Promise<readonly Resource[]> {
  const paths = asObject((await api.call("GET", "/openapi.json"))["paths"]);
  return Object.keys(paths).flatMap((path) => {
    const [, name, parts] = /^\/([^/{]+)((?:\/\{\w+\})*)$/.exec(path) ?? [];
    if (name === undefined || parts === undefined) return [];
    const all = asObject(paths[`/${name}`]);
    const isKeyed = Object.keys(paths).some((other) => other.startsWith(`/${name}/{`));
    if (parts === "" && (isKeyed || !isList(all["get"]))) return [];
    const one = isKeyed ? asObject(paths[path]) : {};
    const key = isKeyed ? parts.slice(2, -1).split("}/{") : [];
    const actions = Object.keys(paths).filter((other) => other.startsWith(`${path}/`));
    return {
      name,
      key,
      queries: "get" in all ? queriesOf(asObject(all["get"])) : null,
      create: fieldsOf(all["post"]),
      change: fieldsOf(one["patch"]),
      canShow: "get" in one,
      canDelete: "delete" in one,
      actions: new Set(actions.map((act) => act.slice(path.length + 1))),
      note: textOf(asObject(all["post"])["description"]),
    };
  });
}

/** True for a list of rows. `/export` is none, although it is a GET without a key. */
function isList(operation: unknown): boolean {
  return textOf(asObject(operation)["summary"]).startsWith("List: ");
}

function queriesOf({ parameters }: Json): string[] {
  return Array.isArray(parameters) ? parameters.map((each) => String(asObject(each)["name"])) : [];
}

const TO_SCHEMA = ["requestBody", "content", "application/json", "schema"];

function fieldsOf(operation: unknown): Field[] | null {
  if (operation === undefined) return null;
  const schema = TO_SCHEMA.reduce((found, step) => asObject(found[step]), asObject(operation));
  return Object.entries(asObject(schema["properties"])).map(([name, given]) => {
    const property = asObject(given);
    const types = [property["type"]].flat().map(String);
    return {
      name,
      types,
      values: valuesOf(property, types),
      description: textOf(property["description"]),
      isSecret: property["format"] === "password",
    };
  });
}

function valuesOf(property: Json, types: readonly string[]): string {
  const { enum: values, minimum, maximum, example } = property;
  const some = Array.isArray(values) ? values.filter((value) => value !== null).map(String) : [];
  if (types.includes("boolean")) some.push("true", "false");
  if (typeof minimum === "number" && typeof maximum === "number") {
    some.push(`${minimum} to ${maximum}`);
  }
  if (typeof example === "string") some.push(`such as ${example}`);
  if (some.length === 0) some.push("text");
  if (types.includes("null")) some.push("empty");
  return some.join(", ");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
