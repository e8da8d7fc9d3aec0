/** The worker with a D1 that has a replica. A test decides what the replica holds. */
import type { D1Database } from "@cloudflare/workers-types";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { createTestHarness, unstable_readConfig } from "wrangler";
import { ALICE } from "../harness.ts";
import { fetchAnew } from "../../http/http.ts";

export interface Replicated {
  readonly url: URL;
  readonly primary: DrizzleD1Database;
  readonly replica: DrizzleD1Database;
  /** Sends a lookup: these headers over those of Alice's IMAP login. */
  ask(headers?: Record<string, string>): Promise<Answer>;
  /** The log of the worker so far. */
  logs(): string;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly auth: Headers;
  /** The instance that answered each statement of the lookup: `replica`, `primary` or `caught-up`. */
  readonly asked: readonly string[];
  readonly points: readonly DataPoint[];
}

interface DataPoint {
  readonly indexes: readonly string[];
  readonly blobs: readonly string[];
  readonly doubles: readonly number[];
}

export async function startReplicated(): Promise<Replicated> {
  const config = unstable_readConfig({ config: "wrangler.toml" });
  const [database = {}] = config.d1_databases;
  const harness = createTestHarness({
    workers: [
      {
        config: {
          name: config.name,
          main: "test/support/worker/replica/worker.ts",
          compatibility_date: config.compatibility_date,
          compatibility_flags: config.compatibility_flags,
          durable_objects: config.durable_objects,
          migrations: config.migrations,
          vars: { ...config.vars, LOOKUP_KEYS: "key" },
          d1_databases: [database, { ...database, binding: "REPLICA", database_id: "replica" }],
        },
      },
    ],
  });
  const worker = harness.getWorker<{ DB: D1Database; REPLICA: D1Database }>();
  const { url } = await harness.listen();
  await worker.applyD1Migrations("DB");
  await worker.applyD1Migrations("REPLICA");
  const { DB, REPLICA } = await worker.getEnv();
  return {
    url,
    primary: drizzle(DB),
    replica: drizzle(REPLICA),
    ask: (headers = {}) => ask(new URL("/auth", url), { ...ALICE, ...headers }),
    logs: () => JSON.stringify(harness.getLogs()),
    close: () => harness.close(),
  };
}

async function ask(url: URL, headers: Record<string, string>): Promise<Answer> {
  const { status, headers: auth } = await fetchAnew(url, { headers });
  return {
    status,
    auth,
    asked: (auth.get("Test-Asked") ?? "").split(" ").filter((instance) => instance !== ""),
    points: JSON.parse(auth.get("Test-Points") ?? "[]") as DataPoint[],
  };
}
