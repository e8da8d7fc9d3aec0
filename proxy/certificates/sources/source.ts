/** Files of certificates or ticket keys, and their last complete contents. */
import type { ServerCertificate } from "../files/certificate.ts";
import type { PollReport } from "./file-change.ts";

export interface Source {
  readonly certificates: readonly ServerCertificate[];
  /** Checks the files for changes, in steps. */
  poll(report: PollReport): Iterable<void>;
}
