/**
 * The worker in Miniflare, as `npm start`, the interop tests and the benchmarks run it: with
 * wrangler's own settings, and called over workerd's own socket, which is several times
 * faster than through Miniflare's front.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { migrate } from "drizzle-orm/d1/migrator";
import { Miniflare, type WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { bundle } from "./bundle.ts";
import { assertTellsNoSecret } from "../secrets.ts";
import { watchChildren } from "../programs/watchdog.ts";

watchChildren();

/** The lookup key of a worker that listens on loopback only. */
const DEVELOPMENT_KEY = "development";

export interface StartOptions {
  /** On 127.0.0.1; a free one if left out. */
  readonly port?: number;
  /** The directory that keeps the database; in memory if left out. */
  readonly persist?: string;
  /** Variables and secrets, over those of `wrangler.toml`; the lookup key is the development one. */
  readonly vars?: Readonly<Record<string, string>>;
  /** True where the caller handles SIGINT and SIGTERM; otherwise Miniflare ends the process at once. */
  readonly ownSignals?: boolean;
  /** Gets each line that the worker logs; they go to the standard error otherwise. */
  readonly log?: (line: string) => void;
}

export interface RunningWorker {
  /** Without a slash at its end: `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly db: DrizzleD1Database;
  dispose(): Promise<void>;
}

/** One sentence, for the user of `npm start`, that says why the worker could not be started. */
export class WorkerStartError extends Error {
  override name = "WorkerStartError";
}

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const HOST = "127.0.0.1";

/** @throws WorkerStartError if the port is taken or the database is broken; nothing is left running */
export async function startWorker(options: StartOptions = {}): Promise<RunningWorker> {
  const { port = 0, persist, vars = {}, ownSignals = false, log = console.error } = options;
  if (port !== 0) await probe(port);
  // Without the list of secrets that a deployment needs, of which wrangler would warn here.
  const { secrets: _, ...config } = unstable_readConfig({ config: join(ROOT, "wrangler.toml") });
  const { main, workerOptions } = unstable_getMiniflareWorkerOptions(config);
  const worker: WorkerOptions = {
    ...workerOptions,
    ...(await bundle(main!, join(ROOT, ".wrangler/local"))),
    bindings: { ...workerOptions.bindings, LOOKUP_KEYS: DEVELOPMENT_KEY, ...vars },
    unsafeDirectSockets: [{ host: HOST, port }],
  };
  let started = false;
  const others = SIGNALS.map((signal) => process.listeners(signal));
  const miniflare = new Miniflare({
    cf: false,
    host: HOST,
    workers: [worker],
    // While it starts, a stack trace becomes the cause of the error instead.
    handleStructuredLogs: ({ message }: { message: string }) => {
      assertTellsNoSecret("the worker", message);
      if (started) log(message);
    },
    // The layout of `wrangler --local --persist-to`.
    ...(persist !== undefined && { defaultPersistRoot: join(persist, "v3") }),
  });
  try {
    const db = await openDirectory(miniflare);
    const { origin } = await miniflare.unsafeGetDirectURL();
    started = true;
    if (ownSignals) forgetSignals(others);
    return { url: origin, db, dispose: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose().catch(() => undefined);
    const sentence =
      persist === undefined
        ? "the worker does not start"
        : `the worker does not start with the database in ${persist}; move it away to begin anew`;
    throw new WorkerStartError(sentence, { cause: error });
  }
}

/** Checks the port first, since workerd reports a taken port by a stack trace. */
async function probe(port: number): Promise<void> {
  const server = createServer().listen(port, HOST);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new WorkerStartError(`port ${port} on ${HOST} cannot be used`, { cause: error });
  } finally {
    server.close();
  }
}

/** Drizzle's migrator keeps a table of its own: wrangler must never migrate the same files. */
async function openDirectory(miniflare: Miniflare): Promise<DrizzleD1Database> {
  const db = drizzle(await miniflare.getD1Database("DB"));
  await migrate(db, { migrationsFolder: join(ROOT, "worker/migrations") });
  return db;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Removes the listeners by which Miniflare ends the process, since the caller handles the signals. */
function forgetSignals(others: readonly (readonly Function[])[]): void {
  for (const [index, signal] of SIGNALS.entries()) {
    const added = process.listeners(signal).filter((each) => !others[index]?.includes(each));
    for (const listener of added) process.removeListener(signal, listener);
  }
}
