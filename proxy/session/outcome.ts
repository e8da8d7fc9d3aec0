/** What comes of an attempt to log in. */
import type { ByteString } from "../../shared/lookup.ts";
import type { Connection } from "../transport/index.ts";

export type Outcome =
  | {
      readonly kind: "loggedIn";
      readonly upstream: Connection;
      /** For the client, and what the upstream sent behind it. */
      readonly reply: ByteString;
      readonly rest: Uint8Array;
    }
  | {
      readonly kind: "refused";
      readonly reply: ByteString;
      /** What an OAuth client is to hear before the reply, in base64; null for nothing. */
      readonly challenge: string | null;
      /** Seconds before the client hears of it and may try again; 0 for never. */
      readonly wait: number;
    }
  | {
      readonly kind: "failed";
      readonly reply: ByteString;
      readonly why: string;
      /** Whether a limit forbids it. */
      readonly limited?: boolean;
    };
