/** What nginx takes without a word, though it is hardly meant. */
import type { Diagnostics } from "./language/diagnostics.ts";
import type { ServerSettings } from "./settings.ts";

export function lint(server: ServerSettings, diagnostics: Diagnostics): void {
  if (!hidesClients(server)) return;
  diagnostics.warn(
    '"smtp_auth none" without "xclient" or "proxy_protocol": the upstream takes every client for ' +
      "this proxy, and its rules for addresses (mynetworks) permit all or none",
    server.place,
  );
}

/** Whether mail comes in without a login, and nothing tells the upstream from where. */
function hidesClients({ protocol, smtp_auth, xclient, proxy_protocol }: ServerSettings): boolean {
  return protocol === "smtp" && smtp_auth.includes("none") && !xclient && proxy_protocol === "off";
}
