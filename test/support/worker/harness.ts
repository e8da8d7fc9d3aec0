/** Runs the worker in wrangler's test harness: one for each test file, with its own database. */
import type { D1Database } from "@cloudflare/workers-types";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { createTestHarness } from "wrangler";
import { type Seed, seed } from "./directory.ts";
import { fetchAnew } from "../http/http.ts";
import { assertTellsNoSecret } from "../secrets.ts";
import { CALLER, TestFleet, TestCounters, TestObjects } from "./objects/index.ts";

export interface Harness {
  readonly url: URL;
  readonly db: DrizzleD1Database & { readonly $client: D1Database };
  /** Sends a lookup: these headers over those of Alice's IMAP login; undefined leaves one out. */
  ask(headers?: Record<string, string | undefined>, path?: string): Promise<Answer>;
  /** The Durable Objects that count failed logins. */
  readonly counters: TestCounters;
  /** The Durable Object that takes reports of proxies. */
  readonly fleet: TestFleet;
  /** The log of the worker so far. */
  logs(): string;
  /** Runs the handler of the cron trigger. */
  runScheduled(): Promise<void>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The headers that a lookup's caller reads, by their names in lower case. */
  readonly auth: Readonly<Record<string, string>>;
  /** `Cache-Control`. */
  readonly cacheControl: string | null;
  /** The size of status line and headers on the wire. */
  readonly bytes: number;
}

export interface HarnessOptions {
  readonly seed?: Seed;
  readonly vars?: Record<string, string>;
  readonly secrets?: Record<string, string>;
}

/** The headers of a lookup by nginx for Alice with the right password. */
export const ALICE = {
  "X-Auth-Key": "key",
  "Auth-Method": "plain",
  "Auth-User": "alice@example.test",
  "Auth-Pass": "wonderland",
  "Auth-Protocol": "imap",
  "Auth-Login-Attempt": "1",
  "Client-IP": "192.0.2.1",
};

// Otherwise each start asks workers.cloudflare.com where this machine is, which tests must not depend on.
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { vars = {}, secrets = { LOOKUP_KEYS: "key" } } = options;
  const harness = createTestHarness({
    workers: [{ configPath: "wrangler.toml", vars, secrets }, CALLER],
  });
  const worker = harness.getWorker<{ DB: D1Database }>();
  const { url } = await harness.listen();
  await worker.applyD1Migrations("DB");
  const db = drizzle((await worker.getEnv()).DB);
  await seed(db, options.seed ?? {});
  const logs = (): string => JSON.stringify(harness.getLogs());
  return {
    url,
    db,
    runScheduled: async () => void (await worker.scheduled({ cron: "23 3 * * *" })),
    ask: (headers = {}, path = "/auth") => ask(new URL(path, url), { ...ALICE, ...headers }),
    counters: new TestCounters(new TestObjects(harness, "PENALTIES")),
    fleet: new TestFleet(new TestObjects(harness, "FLEET")),
    logs,
    close: async () => {
      const said = logs();
      await harness.close();
      assertTellsNoSecret("the worker", said);
    },
  };
}

async function ask(url: URL, headers: Record<string, string | undefined>): Promise<Answer> {
  const given = Object.entries(headers).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const response = await fetchAnew(url, { headers: given });
  const all = [...response.headers];
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`);
  return {
    status: response.status,
    body: await response.text(),
    cacheControl: response.headers.get("cache-control"),
    auth: Object.fromEntries(all.filter(([name]) => name.startsWith("auth-"))),
    bytes: `HTTP/1.1 200 OK\r\n${lines.join("")}\r\n`.length,
  };
}
