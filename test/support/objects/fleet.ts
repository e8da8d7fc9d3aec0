/** The object that takes proxies' reports. */
import type { HealthReport } from "../../../shared/fleet.ts";
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

  /** @param again ms */
  async kick(users: readonly (readonly string[])[], again: number): Promise<void> {
    await this.#objects.call(NAME, "kick", [users, again]);
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
