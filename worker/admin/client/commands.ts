/** The small commands: `RESOURCE VERB KEY… FIELD=VALUE…`. What resources there are, the API's document tells. */
import { type Api, asObject } from "./api.ts";
import { Misuse } from "./failure.ts";
import { readSecret } from "./secret.ts";

type Row = Readonly<Record<string, unknown>>;

/** A resource, as the document has it. */
interface Resource {
  readonly path: string;
  /** The key's parts, in order. */
  readonly key: readonly string[];
  /** The JSON types that each field may have. */
  readonly types: Readonly<Record<string, readonly string[]>>;
}

type Verb = (api: Api, resource: Resource, words: readonly string[]) => Promise<void>;

const VERBS: Readonly<Record<string, Verb>> = {
  async list(api, { path }, words) {
    const [first] = words;
    const prefix = first === undefined || FIELD.test(first) ? [] : [first];
    const query = {
      limit: "1000",
      ...fieldsOf(words.slice(prefix.length)),
      ...(prefix[0] !== undefined && { prefix: prefix[0] }),
    };
    let headed = false;
    for await (const row of api.list(path, query)) {
      if (!headed) console.log(Object.keys(row).join("\t"));
      headed = true;
      console.log(Object.values(row).map(plain).join("\t"));
    }
  },
  async show(api, resource, words) {
    print(await api.call("GET", at(resource, words)));
  },
  async add(api, resource, words) {
    const named = resource.key.map((name, index) => [name, words[index]] as const);
    const row = { ...Object.fromEntries(named), ...fieldsAfter(resource, words) };
    // Not among the words: a command line is for all to see.
    const wantsPassword = "password" in resource.types && !("passwordHash" in row);
    const secret = wantsPassword ? { password: await readSecret("Password: ") } : {};
    print(await api.call("POST", resource.path, { ...row, ...secret }));
  },
  async set(api, resource, words) {
    print(await api.call("PATCH", at(resource, words), fieldsAfter(resource, words)));
  },
  async delete(api, resource, words) {
    await api.call("DELETE", at(resource, words));
  },
  async enable(api, resource, words) {
    print(await api.call("PATCH", at(resource, words), { enabled: true }));
  },
  async disable(api, resource, words) {
    print(await api.call("PATCH", at(resource, words), { enabled: false }));
  },
  async password(api, resource, words) {
    const password = await readSecret("Password: ");
    print(await api.call("POST", `${at(resource, words)}/password`, { password }));
  },
  async move(api, resource, words) {
    const [server] = words.slice(resource.key.length);
    if (server === undefined) throw new Misuse("name the server, or - for none");
    const body = { server: server === "-" ? null : server };
    print(await api.call("POST", `${at(resource, words)}/move`, body));
  },
};

/** @throws Misuse */
export async function runCommand(api: Api, [name, verb = "list", ...words]: readonly string[]) {
  const resources = await discover(api);
  const resource = resources.find(({ path }) => path === `/${name ?? ""}`);
  if (resource === undefined) {
    const names = resources.map(({ path }) => path.slice(1));
    throw new Misuse(`${name ?? "nothing"} is none of ${names.join(", ")}`);
  }
  const run = VERBS[verb];
  if (run === undefined) {
    throw new Misuse(`${verb} is none of ${Object.keys(VERBS).join(", ")}`);
  }
  await run(api, resource, words);
}

async function discover(api: Api): Promise<readonly Resource[]> {
  const paths = asObject((await api.call("GET", "/openapi.json"))["paths"]);
  return Object.keys(paths).flatMap((whole) => {
    const [, path, parts] = /^(\/[^/{]+)((?:\/\{\w+\})+)$/.exec(whole) ?? [];
    if (path === undefined || parts === undefined) return [];
    const key = parts.slice(2, -1).split("}/{");
    return [{ path, key, types: typesOf(dig(paths, [path, "post", ...TO_PROPERTIES])) }];
  });
}

const TO_PROPERTIES = ["requestBody", "content", "application/json", "schema", "properties"];

function typesOf(properties: Row): Resource["types"] {
  const entries = Object.entries(properties).map(([name, schema]) => {
    return [name, [asObject(schema)["type"]].flat().map(String)] as const;
  });
  return Object.fromEntries(entries);
}

function dig(value: Row, path: readonly string[]): Row {
  return path.reduce((found, step) => asObject(found[step]), value);
}

function at({ path, key }: Resource, words: readonly string[]): string {
  const parts = words.slice(0, key.length);
  if (parts.length < key.length) throw new Misuse(`name it by ${key.join(" and ")}`);
  return `${path}/${parts.map(encodeURIComponent).join("/")}`;
}

/** `FIELD=VALUE …`. */
function fieldsOf(words: readonly string[]): Readonly<Record<string, string>> {
  const pairs = words.map((word) => {
    const [, name, value] = FIELD.exec(word) ?? [];
    if (name === undefined || value === undefined) throw new Misuse(`${word} is no FIELD=VALUE`);
    return [name, value] as const;
  });
  return Object.fromEntries(pairs);
}

const FIELD = /^(\w+)=(.*)$/s;

/** The words after the key, each as what its field holds; whatever does not fit is the API's to refuse. */
function fieldsAfter({ key, types }: Resource, words: readonly string[]): Row {
  const entries = Object.entries(fieldsOf(words.slice(key.length))).map(([name, text]) => {
    const may = types[name] ?? [];
    if (text === "" && may.includes("null")) return [name, null];
    const isNumber = may.includes("integer") || may.includes("number");
    if (isNumber && /^-?\d+(\.\d+)?$/.test(text)) return [name, Number(text)];
    if (may.includes("boolean") && /^(true|false)$/.test(text)) return [name, text === "true"];
    return [name, text];
  });
  return Object.fromEntries(entries);
}

function print(row: Row): void {
  for (const [name, value] of Object.entries(row)) console.log(`${name}\t${plain(value)}`);
}

function plain(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null ? "" : JSON.stringify(value);
}
