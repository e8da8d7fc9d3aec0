/** What serves one configuration, until another one takes its place. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { Identity } from "../../config/index.ts";
import type { ErrorLog, LiveSession, Snapshot } from "../../observe/index.ts";
import type { TicketKeys } from "../../transport/index.ts";
import type { LoadedSettings } from "../../certificates/index.ts";
import type { RandomTicketKeys } from "../../certificates/random-ticket-keys.ts";
import type { ConnectionCounts } from "../../limits/index.ts";
import type { ListeningSockets } from "./listening-sockets.ts";

export interface Generation {
  readonly settings: LoadedSettings;
  readonly identity: Identity | null;
  /** @returns when as many workers as there can be accept connections; false where there can be none */
  start(): Promise<boolean>;
  /** No more workers, and those there are end when their sessions have. */
  drain(): void;
  /** All sessions end now. */
  stop(): void;
  /** Without waiting for anything. */
  kill(): void;
  /** All lookups are asked anew. */
  forget(): void;
  /** The log files are opened anew. */
  reopen(): void;
  /** What new tickets are made with, and old ones read. */
  renewTickets(keys: TicketKeys): void;
  /** What each of its workers had counted when it was last asked. */
  readonly counts: readonly Snapshot[];
  /** Asks them. */
  count(): Promise<void>;
  /** Its workers, each as one who is asked about its sessions. */
  readonly workers: readonly Asked[];
}

/** A worker; null where it keeps silent. */
export interface Asked {
  readonly pid: number;
  /** Ends a user's sessions. @returns how many */
  kick(user: ByteString): Promise<number | null>;
  /** Some of its sessions, of higher numbers than that. */
  page(after: number): Promise<SessionsPage | null>;
}

export interface SessionsPage {
  readonly sessions: readonly LiveSession[];
  /** The number of the last one; null where these were all. */
  readonly last: number | null;
}

/** Of a worker that has not begun, or is gone. */
export const NO_SESSIONS: SessionsPage = { sessions: [], last: null };

/** Hears of the ends of a generation's workers. */
export interface GenerationListener {
  /** The last worker of an ending generation has gone. */
  empty(): void;
  /** A worker has gone; what it had counted. */
  gone(counts: Snapshot): void;
}

/** What a generation works with, whatever its configuration says. */
export interface GenerationContext {
  readonly sockets: ListeningSockets;
  readonly ticketKeys: RandomTicketKeys;
  /** What workers run as; null for the primary's own user. */
  readonly identity: Identity | null;
  /** Of all generations. */
  readonly connections: ConnectionCounts;
  readonly log: ErrorLog;
  readonly listener: GenerationListener;
}

/** The two kinds of generations: worker processes, and the primary itself. */
export type GenerationKind = new (
  settings: LoadedSettings,
  context: GenerationContext,
) => Generation;
