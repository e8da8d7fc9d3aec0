/** The workers that serve one configuration, until another configuration takes its place. */
import type { LoadedSettings } from "../../certificates/index.ts";
import type { RandomTicketKeys } from "../../certificates/random-ticket-keys.ts";
import type { Identity } from "../../config/index.ts";
import type { ConnectionCounts } from "../../limits/index.ts";
import type { ErrorLog, Snapshot } from "../../observe/index.ts";
import type { LineState, Revocations } from "../../revocation/index.ts";
import type { TicketKeys } from "../../transport/index.ts";
import type { WorkerSessions } from "../control/sessions.ts";
import type { ListeningSockets } from "./listening-sockets.ts";

export interface Generation {
  readonly settings: LoadedSettings;
  readonly identity: Identity | null;
  /** @returns true once all workers accept connections that can be set up; false where none can */
  start(): Promise<boolean>;
  /** Starts no more workers. Those that run end after their last session. */
  drain(): void;
  /** Ends all sessions, and the workers with them. */
  stop(): void;
  /** Ends the workers at once. */
  kill(): void;
  /** Kicks were lost. */
  lostKicks(): void;
  /** The line to the fleet has changed. */
  follow(line: LineState): void;
  /** Opens the log files again. */
  reopen(): void;
  /** Takes the keys of new session tickets, and those that still open old ones. */
  renewTickets(keys: TicketKeys): void;
  /** The counts of each worker at the last `count`. */
  readonly counts: readonly Snapshot[];
  /** Asks each worker for its counts. */
  count(): Promise<void>;
  readonly workers: readonly WorkerSessions[];
}

/** Hears how a generation's workers end. */
export interface GenerationListener {
  /** The last worker of an ending generation has gone. */
  empty(): void;
  /** A worker has gone, with these last counts. */
  gone(counts: Snapshot): void;
}

/** The parts of the primary that every generation works with. */
export interface GenerationContext {
  readonly sockets: ListeningSockets;
  readonly ticketKeys: RandomTicketKeys;
  /** The user that workers run as; null for that of the primary. */
  readonly identity: Identity | null;
  /** Counts of all generations together. */
  readonly connections: ConnectionCounts;
  readonly revocations: Revocations;
  readonly log: ErrorLog;
  readonly listener: GenerationListener;
}

/** Either worker processes or, for `master_process off`, the primary itself. */
export type GenerationKind = new (
  settings: LoadedSettings,
  context: GenerationContext,
) => Generation;
