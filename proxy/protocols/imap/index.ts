import type { Protocol } from "../protocol.ts";
import { ImapDialogue } from "./handler.ts";

export const imap: Protocol = {
  name: "imap",
  open: (settings, secure) => new ImapDialogue(settings, secure),
};
