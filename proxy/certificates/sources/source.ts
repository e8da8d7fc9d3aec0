/** Files of certificates or ticket keys, and what they held when they were last whole. */
import type { Certified } from "../files/certificate.ts";
import type { Report } from "./file-change.ts";

export interface Source {
  readonly certified: readonly Certified[];
  /** A step at a time. */
  look(report: Report): Iterable<void>;
}
