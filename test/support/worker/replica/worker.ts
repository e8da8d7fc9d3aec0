/** The worker with a D1 that has a replica, and with data points that can be read. Headers of a request control both. */
import worker, { Fleet, Penalties } from "../../../../worker/index.ts";

export { Fleet, Penalties };

/** The instance that answered a statement: `caught-up` is a replica that waited until it had a bookmark. */
type Instance = "replica" | "primary" | "caught-up";

export default {
  async fetch(request: Request, env: Env & { REPLICA: D1Database }, context: ExecutionContext) {
    const asked: Instance[] = [];
    const points: AnalyticsEngineDataPoint[] = [];
    const { headers } = request;
    const DB = new Replicated(env.DB, env.REPLICA, headers, asked);
    const ANALYTICS = dataset(headers.get("Test-Analytics"), points);
    const PENALTIES = headers.get("Test-Penalties") === "away" ? AWAY : env.PENALTIES;
    const response = await worker.fetch(request, { ...env, DB, ANALYTICS, PENALTIES }, context);
    // A connection to the fleet: its response is not to be altered.
    if (response.webSocket !== null) return response;
    response.headers.set("Test-Asked", asked.join(" "));
    response.headers.set("Test-Points", JSON.stringify(points));
    return response;
  },
};

/** Durable Objects that cannot be asked. */
const AWAY = {
  getByName() {
    throw new Error("the objects are away");
  },
} as unknown as Env["PENALTIES"];

/** D1 as it answers where a replica is nearest; its primary alone, where `Test-Nearest: primary`. */
class Replicated {
  readonly #instances: Readonly<Record<Instance, D1Database>>;
  readonly #headers: Headers;
  readonly #asked: Instance[];

  constructor(primary: D1Database, replica: D1Database, headers: Headers, asked: Instance[]) {
    this.#instances = { primary, replica, "caught-up": primary };
    this.#headers = headers;
    this.#asked = asked;
  }

  /** Without a session, whatever it is. */
  prepare(sql: string): D1PreparedStatement {
    return this.#instances.primary.prepare(sql);
  }

  withSession(start: D1SessionBookmark) {
    const nearest = this.#headers.get("Test-Nearest") === "primary" ? "primary" : "replica";
    const instance =
      start === "first-primary"
        ? "primary"
        : start === "first-unconstrained"
          ? nearest
          : "caught-up";
    return {
      prepare: (sql: string) => ({
        bind: (...values: unknown[]) => ({ all: () => this.#read(instance, sql, values) }),
      }),
    };
  }

  async #read(instance: Instance, sql: string, values: unknown[]) {
    this.#asked.push(instance);
    if (instance === "primary" && this.#headers.get("Test-Primary") === "away") {
      throw new Error("D1_ERROR: the primary is away");
    }
    const result = await this.#instances[instance]
      .prepare(sql)
      .bind(...values)
      .all();
    return { ...result, meta: { ...result.meta, served_by_primary: instance === "primary" } };
  }
}

function dataset(behaviour: string | null, points: AnalyticsEngineDataPoint[]) {
  if (behaviour === "unbound") return undefined;
  return {
    writeDataPoint(point: AnalyticsEngineDataPoint) {
      if (behaviour === "fails") throw new Error("no data point is taken");
      points.push(point);
    },
  };
}
