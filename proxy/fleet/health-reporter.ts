/**
 * Tells the fleet which mail servers fail for us, and which no longer do.
 *
 * What has been seen is told, and nothing else: a server that fails is told again when it has failed again,
 * so that one which nobody tries any more is forgotten, tried, and found to be well or not.
 */
import { LRUCache } from "lru-cache";
import { formatAddress } from "../../shared/address.ts";
import {
  type HealthReport,
  MAX_REASON_LENGTH,
  MAX_REPORTS,
  REPORT_LIFETIME,
} from "../../shared/fleet.ts";
import type { ErrorLog } from "../observe/index.ts";
import { reason } from "../reason.ts";
import type { Address } from "../transport/index.ts";
import type { HealthListener } from "../upstream/index.ts";
import type { PostReports } from "./requests.ts";

/** ms */
export interface ReportTiming {
  /** Between two requests. */
  readonly soonest: number;
  /** Until a server that fails may be told again; until we say that we are there; after a failure of ours. */
  readonly again: number;
}

/** Two of our requests may be lost, and we are not yet forgotten. */
const TIMING: ReportTiming = { soonest: 1000, again: REPORT_LIFETIME / 3 };

/** Servers that are remembered as failing, and those that wait to be told. */
const MOST_SERVERS = 1000;

export class HealthReporter implements HealthListener {
  readonly #tell: PostReports;
  readonly #log: Pick<ErrorLog, "write">;
  readonly #timing: ReportTiming;
  /** When each server that fails was last told, ms. */
  readonly #failing = new LRUCache<string, number>({ max: MOST_SERVERS });
  readonly #news = new Map<string, HealthReport>();
  #timer: NodeJS.Timeout | undefined;
  /** When the last request ended. */
  #last = Number.NEGATIVE_INFINITY;
  #state: "resting" | "telling" | "closed" = "resting";
  /** Nobody listens at the other end. */
  #away = false;

  /** Says at once that we are there. */
  constructor(tell: PostReports, log: Pick<ErrorLog, "write">, timing = TIMING) {
    this.#tell = tell;
    this.#log = log;
    this.#timing = timing;
    this.#arm(0);
  }

  failing(server: Address, why: string): void {
    const key = formatAddress(server);
    const told = this.#failing.get(key);
    const now = performance.now();
    if (told !== undefined && now - told < this.#timing.again) return;
    this.#failing.set(key, now);
    this.#add(key, { ...server, state: "failing", why: sentence(why) });
  }

  serving(server: Address): void {
    if (this.#failing.size === 0) return;
    const key = formatAddress(server);
    if (this.#failing.delete(key)) this.#add(key, { ...server, state: "serving" });
  }

  /** Nothing is told any more. */
  close(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
  }

  #add(key: string, report: HealthReport): void {
    if (this.#news.size >= MOST_SERVERS && !this.#news.has(key)) return;
    this.#news.set(key, report);
    if (this.#state === "resting" && !this.#away) this.#armSoon();
  }

  #armSoon(): void {
    this.#arm(Math.max(0, this.#last + this.#timing.soonest - performance.now()));
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#say(), ms).unref();
  }

  async #say(): Promise<void> {
    this.#state = "telling";
    const batch = [...this.#news].slice(0, MAX_REPORTS);
    for (const [key] of batch) this.#news.delete(key);
    try {
      await this.#tell(batch.map(([, report]) => report));
      this.#heard(null);
    } catch (error) {
      for (const [key, report] of batch) this.#unheard(key, report);
      this.#heard(reason(error));
    }
  }

  /** That a server failed is no news later on: it is told when it fails again. */
  #unheard(key: string, report: HealthReport): void {
    if (this.#news.has(key)) return;
    if (report.state === "serving") this.#news.set(key, report);
    else if (this.#failing.has(key)) this.#failing.set(key, Number.NEGATIVE_INFINITY);
  }

  /** @param failure null for none */
  #heard(failure: string | null): void {
    if (this.#isClosed()) return;
    const wasAway = this.#away;
    this.#state = "resting";
    this.#last = performance.now();
    this.#away = failure !== null;
    // Once an outage.
    if (failure !== null && !wasAway) {
      this.#log.write("error", `fleet cannot be told of mail servers' health: ${failure}`);
    }
    if (failure === null && wasAway) {
      this.#log.write("notice", "fleet is told of mail servers' health again");
    }
    if (!this.#away && this.#news.size > 0) this.#armSoon();
    else this.#arm(this.#timing.again);
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }
}

/** It may quote a mail server, which says what it likes. */
function sentence(why: string): string {
  return why.replace(/\p{Cc}+/gu, " ").slice(0, MAX_REASON_LENGTH);
}
