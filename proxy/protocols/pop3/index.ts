import type { Protocol } from "../protocol.ts";
import { Pop3Handler } from "./handler.ts";

export const pop3: Protocol = {
  name: "pop3",
  open: (settings, secure) => new Pop3Handler(settings, secure),
};
