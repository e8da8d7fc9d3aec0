/** The logs and metrics of one session, and the promises that they must keep. */
import type { AccessLog, ErrorLog, WorkerMetrics } from "../../../proxy/observe/index.ts";
import type { SessionRecord } from "../../../proxy/observe/session-record.ts";
import type { Network } from "./network.ts";

type Result = Parameters<WorkerMetrics["decided"]>[1];

/** The parts of secrets that no log may hold. */
const SECRET = /pw-\d+-x|hand-\d+-out|0{20}\d{8}feed/;

export class Observer {
  readonly records: SessionRecord[] = [];
  /** Results of the attempts to log in, in their order. */
  readonly results: Result[] = [];
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  readonly accessLog: Pick<AccessLog, "enabled" | "write"> = {
    enabled: true,
    write: (record) => {
      this.records.push(record);
      this.#network.trace(() => `the access log says: ${record.end}`);
      this.#mustHideSecrets(JSON.stringify(record));
    },
  };

  readonly errorLog: Pick<ErrorLog, "wants" | "write"> = {
    wants: () => true,
    write: (level, message) => {
      if (level === "alert") this.#network.violation(`an alert: ${message}`);
      this.#mustHideSecrets(message);
    },
  };

  readonly metrics: Pick<
    WorkerMetrics,
    "accepted" | "secured" | "lookedUp" | "cached" | "connected" | "decided" | "kicked" | "spliced"
  > = {
    accepted() {},
    secured() {},
    lookedUp() {},
    cached() {},
    connected() {},
    decided: (_protocol, result) => void this.results.push(result),
    kicked() {},
    spliced() {},
  };

  #mustHideSecrets(text: string): void {
    if (SECRET.test(text)) this.#network.violation(`a log holds a secret: ${text}`);
  }
}
