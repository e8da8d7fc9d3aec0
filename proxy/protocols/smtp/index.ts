import type { ServerSettings } from "../../config/index.ts";
import type { Protocol } from "../protocol.ts";
import { SmtpHandler } from "./handler.ts";
import { configureSmtp } from "./policy.ts";

export function smtp(settings: ServerSettings): Protocol {
  const configuration = configureSmtp(settings);
  return { name: "smtp", open: (secure) => new SmtpHandler(configuration, secure) };
}
