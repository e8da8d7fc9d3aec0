/** The object that takes proxies' reports. */
import type { HealthReport } from "../../../../shared/fleet.ts";
import type { TestObjects } from "./objects.ts";

/** The one that the worker asks. */
const NAME = "fleet";

export class TestFleet {
  readonly #objects: TestObjects;

  constructor(objects: TestObjects) {
    this.#objects = objects;
  }

  /** @param lifetime ms; as long as in earnest if left out */
  async report(
    proxy: string,
    reports: readonly HealthReport[],
    lifetime?: number,
    times?: number,
  ): Promise<void> {
    const more = lifetime === undefined ? [] : [lifetime];
    await this.#objects.call(NAME, "report", [proxy, reports, ...more], times);
  }

  /** Opens a line as the worker does once it has read the token; gives the status. */
  async open(proxy: string, digest: string): Promise<number> {
    const headers = { Upgrade: "websocket", "X-Proxy-Name": proxy, "X-Token-Digest": digest };
    const [status] = await this.#objects.call(NAME, "fetch", ["http://fleet/live", { headers }]);
    return status as number;
  }

  exec(statement: string): Promise<Record<string, unknown>[]> {
    return this.#objects.exec(NAME, statement);
  }

  evict(): Promise<void> {
    return this.#objects.evict(NAME);
  }

  /** The same, while lines are open to it. */
  hibernate(): Promise<void> {
    return this.#objects.evict(NAME, "hibernate");
  }
}
