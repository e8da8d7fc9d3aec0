// A script: the bytes that a client sends to one server, and the answers of the backends behind that server.
import type { ProtocolName } from "../../../shared/lookup.ts";
import { reply } from "../../support/peers/lookup-endpoint.ts";

export type ServerSpec = {
  readonly protocol: ProtocolName;
  /** Directives of `server` for both proxies, without `listen` and `protocol`; NAME_SERVER stands for an address. */
  readonly directives: string;
  /** Parameters of `listen`. */
  readonly listen: "" | "ssl" | "proxy_protocol" | "ssl proxy_protocol";
  /** Directives that nginx does not know; by default one that makes lookups as nginx does. */
  readonly posternOnly: string;
};

export type Move =
  /** Sends bytes in one write, then waits for so many replies. */
  | { readonly kind: "send"; readonly bytes: string; readonly replies: number }
  /** Sends STARTTLS or STLS, waits for the reply, and does the TLS handshake. */
  | { readonly kind: "starttls"; readonly bytes: string }
  /** Sends nothing until the server closes. */
  | { readonly kind: "wait" };

export type Upstream = {
  readonly greeting?: string;
  /**
   * Replies by verb, or by verb and number (`EHLO 2` is the second one). null closes the connection, and an empty
   * text sends nothing. `LITERAL 1` and `LITERAL 2` are the continuation requests of IMAP. TAG is the command's tag.
   */
  readonly replies?: Readonly<Record<string, string | null>>;
};

export type Script = {
  readonly name: string;
  readonly server: ServerSpec;
  readonly moves: readonly Move[];
  /** Sent first, in front of any TLS; CLIENT stands for the client's address, and OCTETS for its bytes. */
  readonly first?: string;
  /** Replies to lookups, in order; the last one is repeated; an empty one never comes. */
  readonly lookup?: readonly string[];
  readonly upstream?: Upstream;
  /** The client sends no QUIT or LOGOUT at the end, whose answer would show that the session is still open. */
  readonly leavesSilently?: boolean;
};

export type Topic = { readonly name: string; readonly scripts: readonly Script[] };

function serverOf(protocol: ProtocolName) {
  return (directives = "", more: Partial<ServerSpec> = {}): ServerSpec => ({
    protocol,
    directives,
    listen: "",
    posternOnly: "auth_http_keepalive off;",
    ...more,
  });
}

export const imap = serverOf("imap");
export const pop3 = serverOf("pop3");
export const smtp = serverOf("smtp");

/** A line, sent with CRLF and followed by one reply, or a move that is neither. */
export type Step = string | Move;

/** Each move waits for the answer to the one before. */
export function moves(...steps: readonly Step[]): readonly Move[] {
  return steps.map((move) => (typeof move === "string" ? raw(`${move}\r\n`) : move));
}

/** Scripts for one server, by name. */
export function on(
  server: ServerSpec,
  table: Readonly<Record<string, Step | readonly Step[]>>,
  more: Partial<Script> = {},
): readonly Script[] {
  return Object.entries(table).map(([name, steps]) => ({
    name,
    server,
    moves: Array.isArray(steps) ? moves(...steps) : moves(steps as Step),
    ...more,
  }));
}

/** @param replies how many to wait for */
export function raw(bytes: string, replies = 1): Move {
  return { kind: "send", bytes, replies };
}

/** Lines in one write, with a reply for each. */
export function together(...lines: readonly string[]): Move {
  return raw(lines.map((line) => `${line}\r\n`).join(""), lines.length);
}

const STARTTLS = { imap: "s STARTTLS", pop3: "STLS", smtp: "STARTTLS" };

export function starttls(protocol: ProtocolName): Move {
  return { kind: "starttls", bytes: `${STARTTLS[protocol]}\r\n` };
}

export const untilClosed: Move = { kind: "wait" };

type Fields = Readonly<Record<string, string | number>>;

/** A reply that names the upstream of the session. */
export function yes(more: Fields = {}): string {
  return reply(200, {
    "Auth-Status": "OK",
    "Auth-Server": "UPSTREAM_HOST",
    "Auth-Port": "UPSTREAM_PORT",
    ...more,
  });
}

export function no(text: string, more: Fields = {}): string {
  return reply(200, { "Auth-Status": text, ...more });
}

export function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}
