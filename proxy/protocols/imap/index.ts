import type { ServerSettings } from "../../config/index.ts";
import type { Protocol } from "../protocol.ts";
import { ImapHandler } from "./handler.ts";
import { configureImap } from "./policy.ts";

export function imap(settings: ServerSettings): Protocol {
  const configuration = configureImap(settings);
  return { name: "imap", open: (secure) => new ImapHandler(configuration, secure) };
}
