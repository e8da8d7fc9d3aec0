/** Runs the commands on resources: `RESOURCE VERB KEY… FIELD=VALUE…`. */
import type { Api, Json } from "./api.ts";
import { UsageError } from "./errors.ts";
import { type Field, type Resource, discover } from "./openapi.ts";
import type { Output } from "./output.ts";
import { readSecret } from "./prompt.ts";

interface Call {
  readonly api: Api;
  readonly resource: Resource;
  readonly words: readonly string[];
  readonly output: Output;
}

interface Verb {
  /** The usage of the words that follow; null where the resource has no such verb. */
  readonly usage: (resource: Resource) => string | null;
  readonly run: (call: Call) => Promise<void>;
}

const VERBS: Readonly<Record<string, Verb>> = {
  list: {
    usage: ({ queries }) => queries && queries.flatMap(queryUsage).join(" "),
    async run({ api, resource, words, output }) {
      const [first] = words;
      const prefix = first === undefined || FIELD.test(first) ? [] : [first];
      const query = {
        limit: "1000",
        ...pairsOf(words.slice(prefix.length)),
        ...(prefix[0] !== undefined && { prefix: prefix[0] }),
      };
      for await (const row of api.list(`/${resource.name}`, query)) output.row(row);
    },
  },
  show: {
    usage: (resource) => (resource.canShow ? keyOf(resource) : null),
    async run({ api, resource, words, output }) {
      output.one(await api.call("GET", at(resource, words)));
    },
  },
  add: {
    usage: (resource) =>
      resource.create && `${keyOf(resource)}${pairsUsage(resource, resource.create)}`,
    async run({ api, resource, words, output }) {
      const { name, key, create, note } = resource;
      requireKey(resource, words);
      const named = key.map((part, index) => [part, words[index]] as const);
      const row = await rowOf(create ?? [], words.slice(key.length));
      output.one(await api.call("POST", `/${name}`, { ...row, ...Object.fromEntries(named) }));
      if (note !== "") console.error(note);
    },
  },
  set: {
    usage: (resource) =>
      resource.change && `${keyOf(resource)}${pairsUsage(resource, resource.change)}`,
    async run({ api, resource, words, output }) {
      const row = await rowOf(resource.change ?? [], words.slice(resource.key.length));
      output.one(await api.call("PATCH", at(resource, words), row));
    },
  },
  delete: {
    usage: (resource) => (resource.canDelete ? keyOf(resource) : null),
    async run({ api, resource, words }) {
      await api.call("DELETE", at(resource, words));
    },
  },
  enable: switching(true),
  disable: switching(false),
  password: {
    usage: (resource) => (resource.actions.has("password") ? keyOf(resource) : null),
    async run({ api, resource, words, output }) {
      const path = `${at(resource, words)}/password`;
      output.one(await api.call("POST", path, { password: await readSecret("password") }));
    },
  },
  kick: {
    usage: (resource) => (resource.actions.has("kick") ? keyOf(resource) : null),
    async run({ api, resource, words }) {
      await api.call("POST", `${at(resource, words)}/kick`);
    },
  },
  move: {
    usage: (resource) => (resource.actions.has("move") ? `${keyOf(resource)} SERVER|-` : null),
    async run({ api, resource, words, output }) {
      const [server] = words.slice(resource.key.length);
      const path = `${at(resource, words)}/move`;
      if (server === undefined) throw new UsageError("name the server, or give - for none");
      output.one(await api.call("POST", path, { server: server === "-" ? null : server }));
    },
  },
};

/** The usage of a query parameter of a list. */
function queryUsage(query: string): string[] {
  if (query === "prefix") return ["[PREFIX]"];
  return ["after", "limit"].includes(query) ? [] : [`[${query}=…]`];
}

function pairsUsage({ key }: Resource, fields: readonly Field[]): string {
  const isGiven = ({ name, isSecret }: Field) => !isSecret && !key.includes(name);
  return fields.some(isGiven) ? " FIELD=VALUE …" : "";
}

function switching(enabled: boolean): Verb {
  return {
    usage: (resource) =>
      resource.change?.some(({ name }) => name === "enabled") ? keyOf(resource) : null,
    async run({ api, resource, words, output }) {
      output.one(await api.call("PATCH", at(resource, words), { enabled }));
    },
  };
}

/** @throws UsageError */
export async function runCommand(
  api: Api,
  output: Output,
  [name = "", verb = "list", ...words]: readonly string[],
): Promise<void> {
  const resource = await find(api, name);
  const known = verbsOf(resource);
  if (!known.some(([each]) => each === verb)) {
    const verbs = known.map(([each]) => each).join(", ");
    throw new UsageError(
      `there is no command ${name} ${verb}; the commands for ${name} are ${verbs}`,
    );
  }
  await VERBS[verb]?.run({ api, resource, words, output });
}

/** Describes the commands and the fields of a resource. @throws UsageError */
export async function helpOn(api: Api, name: string): Promise<string> {
  const resource = await find(api, name);
  const usages = verbsOf(resource).map(([verb, usage]) => `  ${name} ${verb} ${usage}`.trimEnd());
  const fields = new Map<string, Field>();
  for (const field of [...(resource.create ?? []), ...(resource.change ?? [])]) {
    fields.set(field.name, field);
  }
  const lines = [...fields.values()].map(
    (field) => `  ${field.name.padEnd(14)} ${describeField(field)}`,
  );
  return [...usages, ...(lines.length === 0 ? [] : ["", "FIELD", ...lines])].join("\n");
}

function describeField({ values, description, isSecret }: Field): string {
  const words = isSecret ? "asked for, or read from standard input" : values;
  return [words, description].filter((part) => part !== "").join(". ");
}

async function find(api: Api, name: string): Promise<Resource> {
  const resources = await discover(api);
  const resource = resources.find((each) => each.name === name);
  if (resource !== undefined) return resource;
  throw new UsageError(
    `there is no resource ${name}; the resources are ${resources.map((each) => each.name).join(", ")}`,
  );
}

/** The verbs of a resource, each with its usage. */
function verbsOf(resource: Resource): (readonly [string, string])[] {
  return Object.entries(VERBS).flatMap(([verb, { usage }]) => {
    const words = usage(resource);
    return words === null ? [] : [[verb, words] as const];
  });
}

function keyOf({ key }: Resource): string {
  return key.map((part) => part.toUpperCase()).join(" ");
}

/** @throws UsageError */
function requireKey({ name, key }: Resource, words: readonly string[]): void {
  if (words.length >= key.length) return;
  throw new UsageError(`give the ${key.join(" and the ")}; \`${name} --help\` shows how`);
}

/** @throws UsageError */
function at(resource: Resource, words: readonly string[]): string {
  requireKey(resource, words);
  const parts = words.slice(0, resource.key.length);
  return `/${resource.name}/${parts.map(encodeURIComponent).join("/")}`;
}

const FIELD = /^(\w+)=(.*)$/s;

/** `FIELD=VALUE …`. @throws UsageError */
function pairsOf(words: readonly string[]): Readonly<Record<string, string>> {
  const pairs = words.map((word) => {
    const [, name, value] = FIELD.exec(word) ?? [];
    if (name === undefined || value === undefined)
      throw new UsageError(`${word} is not FIELD=VALUE`);
    return [name, value] as const;
  });
  return Object.fromEntries(pairs);
}

/** Makes a row of the words, and asks for its secrets, because other users can read a command line. */
async function rowOf(fields: readonly Field[], words: readonly string[]): Promise<Json> {
  const given = pairsOf(words);
  const secrets = fields.filter(({ isSecret }) => isSecret).map(({ name }) => name);
  const exposed = secrets.find((name) => name in given);
  if (exposed !== undefined) {
    throw new UsageError(
      `${exposed} is asked for, or read from standard input, because all users can see a command line`,
    );
  }
  const row = Object.entries(given).map(([name, text]) => {
    const field = fields.find((each) => each.name === name);
    return [name, typed(text, field?.types ?? [])] as const;
  });
  // A hash replaces its password.
  const asked = secrets.filter((name) => !(`${name}Hash` in given));
  const answers: (readonly [string, string])[] = [];
  for (const name of asked) answers.push([name, await readSecret(name)]);
  return Object.fromEntries([...row, ...answers]);
}

/** Converts a value to its field's type. The API refuses values that do not fit. */
function typed(text: string, types: readonly string[]): unknown {
  if (text === "" && types.includes("null")) return null;
  const isNumber = types.includes("integer") || types.includes("number");
  if (isNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (types.includes("boolean") && /^(true|false)$/.test(text)) return text === "true";
  return text;
}
