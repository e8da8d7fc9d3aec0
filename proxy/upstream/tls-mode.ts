/** TLS towards an upstream: the lookup may choose it, but not switch off TLS that the configuration demands. */
import type { TlsMode } from "../../shared/lookup.ts";

/** Ports that mean TLS from the first byte: IMAPS, POP3S, submissions (RFC 8314 section 7). */
const TLS_PORTS: ReadonlySet<number> = new Set([993, 995, 465]);

/**
 * @param asked by the lookup's reply (`Auth-Upstream-TLS`), or null
 * @param configured by `proxy_ssl`, or null
 * @returns null where the lookup switches off TLS that the configuration demands
 */
export function tlsMode(
  asked: TlsMode | null,
  configured: "on" | "starttls" | "off" | null,
  port: number,
): TlsMode | null {
  const demanded = configured === "on" ? "tls" : configured;
  if (asked === "off" && demanded !== null && demanded !== "off") return null;
  return asked ?? demanded ?? (TLS_PORTS.has(port) ? "tls" : "off");
}
