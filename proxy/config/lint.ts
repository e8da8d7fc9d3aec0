/** Warns of combinations of directives that nginx accepts, but that operators hardly mean. */
import type { Diagnostics } from "./language/diagnostics.ts";
import type { ServerSettings } from "./settings.ts";

export function lint(server: ServerSettings, diagnostics: Diagnostics): void {
  if (!hidesClients(server)) return;
  diagnostics.warn(
    '"smtp_auth none" without "xclient" or "proxy_protocol": the upstream sees this proxy as the client of ' +
      "every session, so its rules for client addresses (mynetworks) permit all clients or none",
    server.place,
  );
}

/** True where clients send mail without a login, and the upstream does not learn their addresses. */
function hidesClients({ protocol, smtp_auth, xclient, proxy_protocol }: ServerSettings): boolean {
  return protocol === "smtp" && smtp_auth.includes("none") && !xclient && proxy_protocol === "off";
}
