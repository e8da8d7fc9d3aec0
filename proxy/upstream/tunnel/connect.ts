/** A tunnel through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6). */
import { formatAddress } from "../../../shared/address.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import type { ProxyCredentials } from "../../config/index.ts";
import { type Address, type Input, chomp } from "../../transport/index.ts";
import { type Dialogue, invalidResponse, takeLine } from "./dialogue.ts";

/** Bytes of all that a proxy says before the tunnel begins, interim responses included. */
const LONGEST_HEAD = 16_384;

/** Ours rather than the proxy's: what it says might be anything, even the password that it was told. */
const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

export function* connect(
  input: Input,
  to: Address,
  credentials: ProxyCredentials | null,
): Dialogue {
  const target = formatAddress(to);
  yield [
    `CONNECT ${target} HTTP/1.1`,
    `Host: ${target}`,
    ...(credentials === null ? [] : [`Proxy-Authorization: Basic ${basic(credentials)}`]),
    "\r\n",
  ].join("\r\n");
  const room = { bytes: LONGEST_HEAD };
  let status = yield* head(input, room);
  while (isInterim(status)) status = yield* head(input, room);
  // A 2xx has no body, whatever its headers say: the tunnel begins.
  if (status < 200 || status > 299) {
    throw new Error(["answered", status, REASONS[status] ?? ""].join(" ").trimEnd());
  }
}

/** Whether another response follows (RFC 9110 section 15.2), as behind 101 there does not. */
function isInterim(status: number): boolean {
  return status < 200 && status !== 101;
}

/** (RFC 7617 section 2) */
function basic({ user, password }: ProxyCredentials): string {
  return btoa(`${user}:${password}`);
}

/** @returns the status */
function* head(input: Input, room: { bytes: number }): Generator<null, number, void> {
  const [, status] = /^HTTP\/1\.\d ([1-9]\d\d)(?: |$)/.exec(yield* text(input, room)) ?? [];
  if (status === undefined) throw invalidResponse();
  for (;;) {
    const field = yield* text(input, room);
    if (field === "") return Number(status);
    if (!/^[\w!#$%&'*+.^`|~-]+:/.test(field)) throw invalidResponse();
  }
}

function* text(input: Input, room: { bytes: number }): Generator<null, ByteString, void> {
  const whole = yield* takeLine(input, room.bytes);
  room.bytes -= whole.length;
  const content = chomp(whole);
  if (content === null) throw invalidResponse();
  return content;
}
