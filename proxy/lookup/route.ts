/** The servers that a reply names: nginx's `Auth-Server` and `Auth-Port`, and Postern's own headers. */
import { isIp } from "../../shared/address.ts";
import { type ByteString, TLS_MODES } from "../../shared/lookup.ts";
import { quoted } from "../quoted.ts";
import { type Address, stripSpaces } from "../transport/index.ts";
import type { Route } from "./lookup.ts";

/** Servers besides the first that a reply may name. */
const MOST_FALLBACKS = 16;

/** A name's part (RFC 1123 section 2.1), with the underscore that internal names often have. */
const LABEL = /^[a-z0-9_-]{1,63}$/i;

/**
 * @param fields the reply's headers by their names in small letters
 * @returns a text for the log where the route is invalid, in nginx's words where nginx has some
 */
export function readRoute(fields: ReadonlyMap<string, ByteString>): Route | string {
  const host = fields.get("auth-server") ?? "";
  const port = fields.get("auth-port") ?? "";
  if (host === "" || port === "") return "did not send server or port";
  if (!isHost(host)) return `sent invalid server address:${quoted(host)}`;
  if (!isPort(port)) return `sent invalid server port:${quoted(port)}`;
  const listed = fields.get("auth-fallback") ?? "";
  const fallbacks = readFallbacks(listed);
  if (fallbacks === null) return `sent invalid Auth-Fallback:${quoted(listed)}`;
  const asked = fields.get("auth-upstream-tls") ?? null;
  const tls = TLS_MODES.find((mode) => mode === asked) ?? null;
  if (asked !== null && tls === null) return `sent invalid Auth-Upstream-TLS:${quoted(asked)}`;
  const tlsName = fields.get("auth-upstream-name") ?? null;
  if (tlsName !== null && !isHost(tlsName)) {
    return `sent invalid Auth-Upstream-Name:${quoted(tlsName)}`;
  }
  return { servers: [{ host, port: Number(port) }, ...fallbacks], tls, tlsName };
}

/** `192.0.2.1:993, [2001:db8::1]:993, mail.example:993`. @returns null for an invalid list */
function readFallbacks(text: string): readonly Address[] | null {
  if (text === "") return [];
  const found: Address[] = [];
  for (const part of text.split(",")) {
    const one = stripSpaces(part);
    const [, six, other = six ?? "", port = ""] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(one) ?? [];
    if (!isHost(other) || !isPort(port) || found.length === MOST_FALLBACKS) return null;
    found.push({ host: other, port: Number(port) });
  }
  return found;
}

/** A name that ends in a number is a broken address, which system resolvers read all the same: `127.1`, `0x7f000001`. */
function isHost(text: string): boolean {
  if (isIp(text)) return true;
  const labels = text.replace(/\.$/, "").split(".");
  const numeric = /^(?:\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? "");
  return text.length <= 253 && !numeric && labels.every((label) => LABEL.test(label));
}

function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}
