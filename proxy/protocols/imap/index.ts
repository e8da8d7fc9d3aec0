import type { Protocol } from "../protocol.ts";
import { ImapHandler } from "./handler.ts";

export const imap: Protocol = {
  name: "imap",
  open: (settings, secure) => new ImapHandler(settings, secure),
};
