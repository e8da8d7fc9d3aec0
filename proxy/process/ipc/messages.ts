/** What the primary process and its workers say to each other, over cluster's channel. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { RenewableMaterial, TlsMaterial } from "../../certificates/index.ts";
import type { Identity, Settings } from "../../config/index.ts";
import type { Claim, CountedBy, Denial } from "../../limits/index.ts";
import type { Snapshot } from "../../observe/index.ts";
import type { KeyPair, TicketKeys } from "../../transport/index.ts";
import type { SessionsPage } from "../primary/generation.ts";

export type ToWorker =
  | {
      readonly kind: "configure";
      /** Which of the workers this is, from 0; one that replaces another is the same. */
      readonly index: number;
      readonly settings: Settings;
      readonly tls: TlsMaterial;
      readonly ticketKeys: TicketKeys;
      /** Whom to become before any connection is accepted; null to stay. */
      readonly identity: Identity | null;
    }
  /** The socket of `bindings(settings)[binding]` comes with this message. */
  | { readonly kind: "listen"; readonly binding: number }
  /** Certificates or ticket keys have been renewed. */
  | { readonly kind: "renewed"; readonly server: number; readonly renewable: RenewableMaterial }
  /** The certificates that the worker asked for; null if no host has them any more. */
  | {
      readonly kind: "pairs";
      readonly server: number;
      readonly id: string;
      readonly pairs: readonly KeyPair[] | null;
    }
  | { readonly kind: "ticketKeys"; readonly keys: TicketKeys }
  /** What came of a session's claims; null where they are granted. */
  | { readonly kind: "answer"; readonly session: number; readonly denial: Denial | null }
  /** Tell what has been counted. */
  | { readonly kind: "count"; readonly question: number }
  /** End a user's sessions, and tell how many these were. */
  | { readonly kind: "kick"; readonly question: number; readonly user: ByteString }
  /** Tell of some sessions of higher numbers than that. */
  | { readonly kind: "page"; readonly question: number; readonly after: number }
  /** Open the log files anew. */
  | { readonly kind: "reopen" }
  /** Ask all lookups anew. */
  | { readonly kind: "forget" }
  /** Stop accepting, send away who has not logged in, exit when the last session has ended. */
  | { readonly kind: "drain" }
  /** End every session and exit. */
  | { readonly kind: "stop" };

export type FromWorker =
  /** All that was sent has been set up, and connections are being accepted. */
  | { readonly kind: "ready" }
  /** The sockets are wanted again: their handles here have been closed. */
  | { readonly kind: "sockets" }
  /** A client names a host whose certificate the worker does not have yet. */
  | { readonly kind: "pairs"; readonly server: number; readonly id: string }
  /** A session asks for what is limited; an answer is awaited. */
  | { readonly kind: "claim"; readonly session: number; readonly claims: readonly Claim[] }
  /** It gives back all that it holds, or what is counted by one thing. */
  | { readonly kind: "release"; readonly session: number; readonly by: CountedBy | undefined }
  | { readonly kind: "kicked"; readonly question: number; readonly ended: number }
  | { readonly kind: "page"; readonly question: number; readonly page: SessionsPage }
  /** What it has counted, when asked, and last of all, when nobody has. */
  | { readonly kind: "counted"; readonly question: number | null; readonly counts: Snapshot };
