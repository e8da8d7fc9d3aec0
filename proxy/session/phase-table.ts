/** The steps of a session, each with its state in metrics and nginx's words for it in the error log. */
import type { SessionState } from "../observe/index.ts";

interface StepRow {
  readonly state: SessionState;
  /** Follows `while` in the error log. */
  readonly doing: string;
}

export const STEPS = {
  proxyHeader: { state: "arriving", doing: "reading PROXY protocol" },
  handshake: { state: "arriving", doing: "SSL handshaking" },
  clientName: { state: "arriving", doing: "in resolving client address" },
  greetingDelay: { state: "arriving", doing: "in delay pipelining state" },
  commands: { state: "commands", doing: "in auth state" },
  startTls: { state: "arriving", doing: "in starttls state" },
  authenticate: { state: "login", doing: "in http auth state" },
  /** A refusal that is held back (`Auth-Wait`). */
  refusalDelay: { state: "login", doing: "in http auth state" },
  connect: { state: "login", doing: "in http auth state" },
  relay: { state: "proxying", doing: "proxying" },
} as const satisfies Readonly<Record<string, StepRow>>;

export type Step = keyof typeof STEPS;

/** nginx's words for the two lookups of a client's name. */
export const RESOLVING = {
  address: STEPS.clientName.doing,
  hostname: "in resolving client hostname",
} as const;

/** The ends of sessions, in the access log's words. */
export const ENDS = {
  kicked: "kicked",
  left: "the client closed the connection",
  timedOut: "the client timed out",
  stopped: "the server was stopped",
} as const;

/** ms for a handshake that is made only to tell the client that its session ends. */
export const HANDSHAKE_TO_TELL = 5000;
