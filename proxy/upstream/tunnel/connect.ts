/** A tunnel through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6). */
import { formatAddress } from "../../../shared/address.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import type { ProxyCredentials } from "../../config/index.ts";
import { reasonPhrase } from "../../http-status.ts";
import {
  type Address,
  type Input,
  type MORE,
  type Script,
  chomp,
  takeLine,
} from "../../transport/index.ts";
import { invalidResponse } from "./invalid-response.ts";

/** Bytes of all responses before the tunnel begins, interim ones included. */
const LONGEST_HEAD = 16_384;

export function* connect(
  input: Input,
  to: Address,
  credentials: ProxyCredentials | null,
): Script<void> {
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
  // A 2xx has no body, whatever its headers claim, so the tunnel begins.
  if (status < 200 || status > 299) {
    // The reason phrase is ours: the proxy's might hold anything, even the password that it was sent.
    throw new Error(["answered", status, reasonPhrase(status)].join(" ").trimEnd());
  }
}

/** True where another response follows (RFC 9110 section 15.2); none follows 101. */
function isInterim(status: number): boolean {
  return status < 200 && status !== 101;
}

/** (RFC 7617 section 2) */
function basic({ user, password }: ProxyCredentials): string {
  return btoa(`${user}:${password}`);
}

/** @returns the status */
function* head(input: Input, room: { bytes: number }): Generator<typeof MORE, number, void> {
  const [, status] = /^HTTP\/1\.\d ([1-9]\d\d)(?: |$)/.exec(yield* text(input, room)) ?? [];
  if (status === undefined) throw invalidResponse();
  for (;;) {
    const field = yield* text(input, room);
    if (field === "") return Number(status);
    if (!/^[\w!#$%&'*+.^`|~-]+:/.test(field)) throw invalidResponse();
  }
}

function* text(input: Input, room: { bytes: number }): Generator<typeof MORE, ByteString, void> {
  const whole = yield* takeLine(input, room.bytes);
  room.bytes -= whole.length;
  const content = chomp(whole);
  if (content === null) throw invalidResponse();
  return content;
}
