/** Calls that the primary process and its workers make in each other. */
import type { RenewableMaterial, TlsMaterial } from "../../certificates/index.ts";
import type { Identity, Settings } from "../../config/index.ts";
import type { Claim, CountedBy, Denial } from "../../limits/index.ts";
import type { LiveSession, Snapshot } from "../../observe/index.ts";
import type { Kick, LineState, RevocationState } from "../../revocation/index.ts";
import type { BoundSocket, KeyPair, TicketKeys } from "../../transport/index.ts";

/** Calls in a worker. */
export interface WorkerCalls {
  /** Comes first. */
  configure(configuration: WorkerConfiguration): void;
  /** Hands over the socket of `bindings(settings)[binding]`. */
  listen(binding: number, socket?: BoundSocket): void;
  /** Certificates or ticket keys of files have been renewed. */
  renew(server: number, renewable: RenewableMaterial): void;
  /** The primary has made new ticket keys. */
  renewTickets(keys: TicketKeys): void;
  count(): Snapshot;
  /** Ends the sessions of revoked logins. @returns how many each kick has ended */
  kick(kicks: readonly Kick[]): readonly number[];
  /** Kicks were lost on their way to the primary. */
  lostKicks(): void;
  /** The line by which the primary hears of kicks has changed. */
  follow(line: LineState): void;
  /** @param after only sessions of higher numbers */
  page(after: number): SessionsPage;
  /** Opens the log files again. */
  reopen(): void;
  /** Stops accepting, ends sessions before login, and exits after the last session. */
  drain(): void;
  /** Ends every session and exits. */
  stop(): void;
}

/** Calls in the primary process. */
export interface PrimaryCalls {
  /** The worker accepts connections. */
  ready(): void;
  /** The worker has closed its handles of the sockets, and wants them again. */
  sendSockets(): void;
  /** @returns null if no host has that certificate any more */
  pairs(server: number, id: string): readonly KeyPair[] | null;
  /** @returns null where all claims of the session are granted */
  claim(session: number, claims: readonly Claim[]): Denial | null;
  /** Gives back what a session holds: all of it, or what is counted by one thing. */
  release(session: number, by?: CountedBy): void;
  /** The last counts of a worker that exits. */
  counted(counts: Snapshot): void;
}

export interface WorkerConfiguration {
  /** Number of the worker, from 0. A replacement has the number of the worker that it replaces. */
  readonly index: number;
  readonly settings: Settings;
  readonly tls: TlsMaterial;
  readonly ticketKeys: TicketKeys;
  /** The revocations that the primary has heard of. */
  readonly revocations: RevocationState;
  /** The user to become before any connection is accepted; null to stay. */
  readonly identity: Identity | null;
}

export interface SessionsPage {
  readonly sessions: readonly LiveSession[];
  /** Number of the last session; null where no more follow. */
  readonly last: number | null;
}

/** The page of a worker without sessions. */
export const NO_SESSIONS: SessionsPage = { sessions: [], last: null };
