/** The link to the fleet, one for all workers. A reload may move it to another fleet. */
import { isDeepStrictEqual } from "node:util";
import type { FleetSettings, LogLevel } from "../../config/index.ts";
import { type FleetHandler, FleetClient } from "../../fleet/index.ts";
import { type ErrorLog, totalOf } from "../../observe/index.ts";
import { reason } from "../../reason.ts";
import type { Kick, LineState } from "../../revocation/index.ts";
import { trustSystem } from "../../transport/index.ts";
import type { Generations } from "./generations.ts";
import type { Sessions } from "../control/sessions.ts";

export class FleetLink implements FleetHandler {
  readonly #generations: Generations;
  readonly #sessions: Sessions;
  readonly #log: () => ErrorLog;
  #link: { readonly fleet: FleetSettings; readonly client: FleetClient } | null = null;
  #trustsSystem = false;

  /** @param log returns the log in force */
  constructor(generations: Generations, sessions: Sessions, log: () => ErrorLog) {
    this.#generations = generations;
    this.#sessions = sessions;
    this.#log = log;
  }

  /** The state of the line; null without a fleet. */
  get line(): LineState | null {
    return this.#link && this.#generations.revocations.line;
  }

  /** Connects to a fleet. A client of the same URL goes on after the last kick of the one before. */
  follow(fleet: FleetSettings | null): void {
    const before = this.#link;
    if (isDeepStrictEqual(fleet, before?.fleet ?? null)) return;
    before?.client.close();
    this.#link = null;
    this.changed("away");
    if (fleet === null) return;
    if (!this.#trustsSystem) trustSystem();
    this.#trustsSystem = true;
    const lastKick = fleet.url === before?.fleet.url ? before.client.lastKick : null;
    this.#link = { fleet, client: new FleetClient(fleet, this, this, lastKick) };
  }

  close(): void {
    this.follow(null);
  }

  write(level: LogLevel, message: string): void {
    this.#log().write(level, message);
  }

  kick(kicks: readonly Kick[]): void {
    for (const kick of kicks) this.#generations.revocations.kick(kick);
    this.#sessions
      .kick(kicks)
      .catch((error: unknown) => this.write("alert", `fleet kick failed: ${reason(error)}`));
  }

  lostKicks(): void {
    this.#generations.lostKicks();
  }

  changed(line: LineState): void {
    this.#generations.follow(line);
  }

  async sessions(): Promise<number> {
    await this.#generations.count();
    return totalOf(
      "sessions",
      [...this.#generations].flatMap(({ counts }) => counts),
    );
  }
}
