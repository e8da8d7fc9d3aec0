/**
 * Reports to the worker which mail servers fail for this proxy, and which serve again.
 *
 * A report follows an observation and is never repeated without one: a server that no session tries any more is
 * forgotten by the worker, then tried, and found to serve or not.
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
  /** Before a failing server is reported again, before an empty request, and after a failed request. */
  readonly again: number;
}

/** Two requests may be lost before the worker forgets this proxy. */
const TIMING: ReportTiming = { soonest: 1000, again: REPORT_LIFETIME / 3 };

/** Servers that are remembered as failing, and reports that wait. */
const MOST_SERVERS = 1000;

export class HealthReporter implements HealthListener {
  readonly #post: PostReports;
  readonly #log: Pick<ErrorLog, "write">;
  readonly #timing: ReportTiming;
  /** The time of the last report of each failing server, ms. */
  readonly #failing = new LRUCache<string, number>({ max: MOST_SERVERS });
  readonly #waiting = new Map<string, HealthReport>();
  #timer: NodeJS.Timeout | undefined;
  /** The time when the last request ended. */
  #last = Number.NEGATIVE_INFINITY;
  #state: "idle" | "posting" | "closed" = "idle";
  /** True after a request that failed. */
  #isAway = false;

  /** Posts an empty request at once, so that the worker knows this proxy. */
  constructor(post: PostReports, log: Pick<ErrorLog, "write">, timing = TIMING) {
    this.#post = post;
    this.#log = log;
    this.#timing = timing;
    this.#arm(0);
  }

  failing(server: Address, why: string): void {
    const key = formatAddress(server);
    const reported = this.#failing.get(key);
    const now = performance.now();
    if (reported !== undefined && now - reported < this.#timing.again) return;
    this.#failing.set(key, now);
    this.#add(key, { ...server, state: "failing", why: withoutControls(why) });
  }

  serving(server: Address): void {
    if (this.#failing.size === 0) return;
    const key = formatAddress(server);
    if (this.#failing.delete(key)) this.#add(key, { ...server, state: "serving" });
  }

  /** Stops all requests. */
  close(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
  }

  #add(key: string, report: HealthReport): void {
    if (this.#waiting.size >= MOST_SERVERS && !this.#waiting.has(key)) return;
    this.#waiting.set(key, report);
    if (this.#state === "idle" && !this.#isAway) this.#armSoon();
  }

  #armSoon(): void {
    this.#arm(Math.max(0, this.#last + this.#timing.soonest - performance.now()));
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#postBatch(), ms).unref();
  }

  async #postBatch(): Promise<void> {
    this.#state = "posting";
    const batch = [...this.#waiting].slice(0, MAX_REPORTS);
    for (const [key] of batch) this.#waiting.delete(key);
    try {
      await this.#post(batch.map(([, report]) => report));
      this.#posted(null);
    } catch (error) {
      for (const [key, report] of batch) this.#restore(key, report);
      this.#posted(reason(error));
    }
  }

  /** A failure is old by the next request, so it is reported when the server fails again. */
  #restore(key: string, report: HealthReport): void {
    if (this.#waiting.has(key)) return;
    if (report.state === "serving") this.#waiting.set(key, report);
    else if (this.#failing.has(key)) this.#failing.set(key, Number.NEGATIVE_INFINITY);
  }

  /** @param failure of the request; null for none */
  #posted(failure: string | null): void {
    if (this.#isClosed()) return;
    const wasAway = this.#isAway;
    this.#state = "idle";
    this.#last = performance.now();
    this.#isAway = failure !== null;
    // The log is told once an outage.
    if (failure !== null && !wasAway) {
      this.#log.write("error", `fleet health report failed: ${failure}`);
    }
    if (failure === null && wasAway) {
      this.#log.write("notice", "fleet takes health reports again");
    }
    if (!this.#isAway && this.#waiting.size > 0) this.#armSoon();
    else this.#arm(this.#timing.again);
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }
}

/** A reason may quote a mail server, which may send control characters. */
function withoutControls(why: string): string {
  return why.replace(/\p{Cc}+/gu, " ").slice(0, MAX_REASON_LENGTH);
}
