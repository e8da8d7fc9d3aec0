// A script: the bytes that a client sends to one server, and the answers of the backends behind that server.
import type { ProtocolName } from "../../../shared/lookup.ts";
import { reply } from "../../support/lookup-endpoint.ts";

export type ServerSpec = {
  readonly protocol: ProtocolName;
  /** The inside of the `server {}`, for both proxies, without `listen` and `protocol`; NAME_SERVER is an address. */
  readonly directives: string;
  /** After the address in `listen`. */
  readonly listen: "" | "ssl" | "proxy_protocol" | "ssl proxy_protocol";
  /** Directives that nginx does not know. Lookups are made in nginx's way unless they say otherwise. */
  readonly posternOnly: string;
};

export type Move =
  /** Sends bytes in one write, then waits for so many replies. */
  | { readonly kind: "send"; readonly bytes: string; readonly replies: number }
  /** Sends a command that asks for TLS, waits for the reply, and shakes hands. */
  | { readonly kind: "starttls"; readonly bytes: string }
  /** Sends nothing until the server closes. */
  | { readonly kind: "wait" };

export type Upstream = {
  readonly greeting?: string;
  /**
   * By verb, or verb and number (`EHLO 2` is the second one); null hangs up, and an empty text says
   * nothing. IMAP's literals are asked for by `LITERAL 1` and `LITERAL 2`. TAG is the command's tag.
   */
  readonly replies?: Readonly<Record<string, string | null>>;
};

export type Script = {
  readonly name: string;
  readonly server: ServerSpec;
  readonly moves: readonly Move[];
  /** Sent as soon as the connection is there, in front of any TLS; CLIENT stands for the client's address, and OCTETS for its bytes. */
  readonly first?: string;
  /** The lookup's answers, one after another; the last one counts for all that follow; an empty one never comes. */
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
export type Said = string | Move;

/** Each move waits for the answer to the one before. */
export function moves(...said: readonly Said[]): readonly Move[] {
  return said.map((move) => (typeof move === "string" ? raw(`${move}\r\n`) : move));
}

/** Scripts for one server, by name. */
export function on(
  server: ServerSpec,
  table: Readonly<Record<string, Said | readonly Said[]>>,
  more: Partial<Script> = {},
): readonly Script[] {
  return Object.entries(table).map(([name, said]) => ({
    name,
    server,
    moves: Array.isArray(said) ? moves(...said) : moves(said as Said),
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

/** To the script's own upstream. */
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
