import type { Protocol } from "../protocol.ts";
import { SmtpDialogue } from "./handler.ts";

export const smtp: Protocol = {
  name: "smtp",
  open: (settings, secure) => new SmtpDialogue(settings, secure),
};
