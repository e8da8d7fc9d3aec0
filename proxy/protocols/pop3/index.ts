import type { ServerSettings } from "../../config/index.ts";
import type { Protocol } from "../protocol.ts";
import { Pop3Handler } from "./handler.ts";
import { configurePop3 } from "./policy.ts";

export function pop3(settings: ServerSettings): Protocol {
  const configuration = configurePop3(settings);
  return { name: "pop3", open: (secure) => new Pop3Handler(configuration, secure) };
}
