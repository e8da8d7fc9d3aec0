// What the load is asked, and what it answers.
import type { ProtocolName, Security } from "./client.ts";

/** What a client does again and again; all but `session` on a session that is logged in already. */
export type Deed = "session" | "exchange" | "download" | "upload";

export type Programs = {
  readonly port: number;
  readonly protocol: ProtocolName;
  readonly security: Security;
};

export type LoadRequest =
  /** Makes clients, beside those that there are; logs them in if asked. */
  | {
      readonly kind: "open";
      readonly programs: Programs;
      readonly count: number;
      readonly loggedIn: boolean;
    }
  | { readonly kind: "run"; readonly deed: Deed; readonly ms: number }
  | { readonly kind: "close" };

export type LoadReply = {
  readonly failure?: string;
  /** Deeds done in the last run, ms that the run took, and ms that each login took. */
  readonly deeds: number;
  readonly elapsed: number;
  readonly logins: readonly number[];
};

/** Bytes in one download or upload. */
export const TRANSFER = 4 << 20;
