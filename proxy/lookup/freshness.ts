/** `Cache-Control` (RFC 9111 section 5.2): how long a reply may be used again. */
import type { Freshness } from "../../shared/lookup.ts";
import { stripBlanks } from "../transport/index.ts";

/** A directive; its argument is a token or a quoted string. */
const DIRECTIVE = /^([a-z0-9!#$%&'*+.^_`|~-]+)(?:=(?:"([^"\\]*)"|([a-z0-9!#$%&'*+.^_`|~-]+)))?$/i;

/** @returns null where the reply may not be used again, or where the header is invalid */
export function readFreshness(header: string): Freshness | null {
  const directives = new Map<string, string>();
  for (const part of header.split(",")) {
    const one = stripBlanks(part);
    if (one === "") continue;
    const [, name = "", quoted, argument = quoted ?? ""] = DIRECTIVE.exec(one) ?? [];
    // A repeated directive is ambiguous.
    if (name === "" || directives.has(name.toLowerCase())) return null;
    directives.set(name.toLowerCase(), argument);
  }
  if (directives.has("no-store") || directives.has("no-cache")) return null;
  const maxAge = seconds(directives.get("max-age"));
  if (maxAge === null) return null;
  const strict = directives.has("must-revalidate");
  const staleIfError = strict ? 0 : (seconds(directives.get("stale-if-error")) ?? 0);
  return maxAge + staleIfError === 0 ? null : { maxAge, staleIfError };
}

function seconds(text = ""): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
