/** What proxies tell the worker of mail servers: `POST /fleet/health`, `{ "reports": [ … ] }` in JSON. */

export interface HealthReport {
  /** The server as a lookup named it. */
  readonly host: string;
  readonly port: number;
  /** `serving` takes back what this proxy said before. */
  readonly state: "failing" | "serving";
  /** Why it fails: one sentence, with nothing of a user in it. */
  readonly why?: string;
}

/** Reports in one request. None at all says that the proxy is there. */
export const MOST_REPORTS = 100;

/** Characters of a sentence, which has no control characters. */
export const LONGEST_WHY = 200;

/** ms after which the worker forgets what it has heard, and who has said so. */
export const REPORT_LIFETIME = 60_000;
