/** The versions of TLS, and the options that turn them off. */
import { BIT } from "./option-bits.ts";

/** The oldest first. */
export const TLS_VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** The option that turns a version off. */
export const NO_VERSION: Readonly<Record<TlsVersion, number>> = {
  TLSv1: BIT.NO_TLSv1,
  "TLSv1.1": BIT.NO_TLSv1_1,
  "TLSv1.2": BIT.NO_TLSv1_2,
  "TLSv1.3": BIT.NO_TLSv1_3,
};
