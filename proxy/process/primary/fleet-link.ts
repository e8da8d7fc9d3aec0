/** This proxy's line to the fleet: one for all workers, held by the primary, and moved where a reload says. */
import { isDeepStrictEqual } from "node:util";
import type { ByteString } from "../../../shared/lookup.ts";
import type { FleetSettings, LogLevel } from "../../config/index.ts";
import { type FleetHandler, FleetClient } from "../../fleet/index.ts";
import { type ErrorLog, totalOf } from "../../observe/index.ts";
import { trustSystem } from "../../transport/index.ts";
import type { Generations } from "./generations.ts";
import type { Sessions } from "../control/sessions.ts";

export class FleetLine implements FleetHandler {
  readonly #generations: Generations;
  readonly #sessions: Sessions;
  readonly #log: () => ErrorLog;
  #followed: { readonly fleet: FleetSettings; readonly live: FleetClient } | null = null;
  #trusting = false;

  /** @param log the one that there is when something happens */
  constructor(generations: Generations, sessions: Sessions, log: () => ErrorLog) {
    this.#generations = generations;
    this.#sessions = sessions;
    this.#log = log;
  }

  /** Of the same fleet as before, it is still known what it has said. */
  follow(fleet: FleetSettings | null): void {
    const before = this.#followed;
    if (isDeepStrictEqual(fleet, before?.fleet ?? null)) return;
    before?.live.close();
    this.#followed = null;
    if (fleet === null) return;
    if (!this.#trusting) trustSystem();
    this.#trusting = true;
    const lastKick = fleet.url === before?.fleet.url ? before.live.lastKick : null;
    this.#followed = { fleet, live: new FleetClient(fleet, this, this, lastKick) };
  }

  close(): void {
    this.follow(null);
  }

  write(level: LogLevel, message: string): void {
    this.#log().write(level, message);
  }

  kick(user: ByteString): Promise<number> {
    return this.#sessions.kick(user);
  }

  forget(): void {
    this.#generations.forget();
  }

  async sessions(): Promise<number> {
    await this.#generations.count();
    return totalOf(
      "sessions",
      [...this.#generations].flatMap(({ counts }) => counts),
    );
  }
}
