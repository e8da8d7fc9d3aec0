import type { Protocol } from "../protocol.ts";
import { SmtpHandler } from "./handler.ts";

export const smtp: Protocol = {
  name: "smtp",
  open: (settings, secure) => new SmtpHandler(settings, secure),
};
