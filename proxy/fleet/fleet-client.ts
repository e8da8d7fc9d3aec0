/**
 * By a line to the worker this proxy hears whose sessions are to end. The line is opened anew whenever it fails, and
 * what was said meanwhile is heard then; sessions do not need it.
 */
import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { ByteString } from "../../shared/lookup.ts";
import { encoded } from "../bytes.ts";
import type { FleetSettings } from "../config/index.ts";
import type { ErrorLog } from "../observe/index.ts";
import { reason } from "../reason.ts";
import { version } from "../version.ts";
import { probeLive } from "./requests.ts";
import { LiveSocket } from "./live-socket.ts";
import { readMessage } from "./messages.ts";

/** Whose sessions they are. */
export interface FleetHandler {
  /** Ends the sessions of a user, by either name, and has their lookups asked anew. */
  kick(user: ByteString): Promise<unknown>;
  /** Has all lookups asked anew. */
  forget(): void;
  /** Clients that are connected now. */
  sessions(): Promise<number>;
}

/** ms */
export interface FleetTiming {
  /** Between two pings, and until the answer to one must be there. */
  readonly beat: number;
  /** Between two words of how we are. */
  readonly presence: number;
  /** Until a line that failed is opened anew: at first, and at most while that fails. */
  readonly first: number;
  readonly slowest: number;
  /** Likewise, where the worker does not take our key. */
  readonly refused: number;
}

/** ms that one kick may hold up the next. */
const PATIENCE = 200;

/** A path that has died is noticed, and the line opened anew, within a minute. */
const TIMING: FleetTiming = {
  beat: 15_000,
  presence: 60_000,
  first: 1000,
  slowest: 30_000,
  refused: 60_000,
};

export class FleetClient {
  readonly #settings: FleetSettings;
  readonly #host: FleetHandler;
  readonly #log: Pick<ErrorLog, "write">;
  readonly #timing: FleetTiming;
  #heard: number | null;
  #line: LiveSocket | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Lines in a row that came to nothing. */
  #failures = 0;
  /** What the log knows to be amiss. */
  #trouble: "away" | "refused" | null = null;
  #isGarbled = false;
  #work: Promise<unknown> = Promise.resolve();

  /** @param heard the number of the last kick that is known of; null if none is */
  constructor(
    settings: FleetSettings,
    host: FleetHandler,
    log: Pick<ErrorLog, "write">,
    heard: number | null = null,
    timing = TIMING,
  ) {
    this.#settings = settings;
    this.#host = host;
    this.#log = log;
    this.#heard = heard;
    this.#timing = timing;
    this.#open();
  }

  get heard(): number | null {
    return this.#heard;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#line?.close();
  }

  #open(): void {
    let isHeard = false;
    const line = new LiveSocket(
      this.#settings,
      {
        opened: () => void this.#present(line),
        heard: (data) => {
          isHeard = true;
          this.#hear(data);
        },
        lost: () => void this.#lost(isHeard),
      },
      this.#timing.beat,
    );
    this.#line = line;
  }

  /** Who we are, and what we know: the answer is what we do not. */
  async #present(line: LiveSocket): Promise<void> {
    const sessions = await this.#host.sessions().catch(() => 0);
    if (this.#closed || line !== this.#line) return;
    const age = Math.round(process.uptime() * 1000);
    line.say({ host: hostname(), version, sessions, heard: this.#heard, age });
    this.#after(this.#timing.presence, () => void this.#present(line));
  }

  #hear(data: unknown): void {
    const message = readMessage(data);
    switch (message?.kind) {
      case undefined:
        if (!this.#isGarbled) this.#say("warn", "sends what cannot be understood, ignored");
        this.#isGarbled = true;
        break;
      case "kick":
        // What comes by two ways comes twice.
        if (message.number <= (this.#heard ?? 0)) break;
        this.#heard = message.number;
        for (const name of message.names) this.#kick(name);
        break;
      case "heard":
        this.#heard = message.last;
        if (!message.complete) {
          this.#say(
            "warn",
            "no longer knows of all kicks that were missed, lookups are asked anew",
          );
          this.#host.forget();
        }
        if (this.#trouble !== null) this.#say("notice", "is listened to again");
        this.#trouble = null;
        this.#failures = 0;
        break;
      case "unknown":
        break;
    }
  }

  /** One after the other, since a day's may come at once; but a worker that is busy holds nobody up. */
  #kick(name: string): void {
    const user = encoded(name);
    this.#work = this.#work
      .then(() => Promise.race([this.#host.kick(user), pause(PATIENCE)]))
      .catch((error: unknown) => this.#say("alert", `cannot end sessions: ${reason(error)}`));
  }

  /** @param isHeard whether the worker had said anything */
  async #lost(isHeard: boolean): Promise<void> {
    this.#line = null;
    clearTimeout(this.#timer);
    if (isHeard) {
      this.#after(spread(this.#timing.first), () => this.#open());
      return;
    }
    const { refused, why } = await probeLive(this.#settings);
    if (this.#closed) return;
    const trouble = refused ? "refused" : "away";
    // Once an outage.
    if (trouble !== this.#trouble) {
      this.#say(refused ? "alert" : "error", `cannot be listened to: ${why}`);
    }
    this.#trouble = trouble;
    const { first, slowest } = this.#timing;
    const slower = Math.min(first * 2 ** this.#failures++, slowest);
    this.#after(spread(refused ? this.#timing.refused : slower), () => this.#open());
  }

  #say(level: Parameters<ErrorLog["write"]>[0], what: string): void {
    this.#log.write(level, `fleet ${what}`);
  }

  #after(ms: number, work: () => void): void {
    if (!this.#closed) this.#timer = setTimeout(work, ms).unref();
  }
}

/** Proxies that have lost their lines at the same moment do not all come back at the same moment. */
function spread(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
