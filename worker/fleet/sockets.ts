/** The WebSockets of the proxies. They hibernate: the Durable Object leaves memory while no message comes. */
import { z } from "zod";
import { PING, PONG, type Presence, type FleetMessage } from "../../shared/fleet.ts";
import type { Kick, Kicks } from "./kicks.ts";
import type { ConnectedProxy } from "./client.ts";

/** ms without a message after which a connection counts as lost. Each proxy pings more often. */
const MAX_SILENCE = 90_000;

/** Characters. */
const MAX_MESSAGE_LENGTH = 4096;

/** RFC 6455 section 7.4.1. */
const POLICY_VIOLATION = 1008;

const DELETED = "the token was deleted";

const Text = z.string().regex(/^\P{Cc}*$/u);
const Count = z.int().nonnegative();

const PresenceSchema = z.object({
  host: Text.max(253),
  version: Text.max(64),
  sessions: Count,
  heard: Count.nullable(),
  age: z.number().nonnegative(),
}) satisfies z.ZodType<Presence>;

/** The state of a socket whose proxy has sent its presence. */
const ProxyAttachment = PresenceSchema.pick({ host: true, version: true, sessions: true }).extend({
  name: z.string(),
  since: z.number(),
  seen: z.number(),
}) satisfies z.ZodType<ConnectedProxy>;

/** The state of each socket: its token's digest, and when that expires, ms since the epoch; null for never. */
const SocketAttachment = z.object({ digest: z.string(), until: z.number().nullable() });

/** The header with the name of the proxy's token, escaped as in a URL, from the worker to its object. */
export const PROXY_NAME = "X-Proxy-Name";

/** The header with the digest of the proxy's token. */
export const TOKEN_DIGEST = "X-Token-Digest";

/** The header with the expiry of the proxy's token, ms since the epoch; absent if it does not expire. */
export const TOKEN_EXPIRES = "X-Good-Until";

export class ProxySockets {
  readonly #context: DurableObjectState;
  readonly #kicks: Kicks;
  readonly #tokenExists: (digest: string) => Promise<boolean>;

  /** @param tokenExists false for the digest of a token that was deleted; rejects if the directory is away */
  constructor(
    context: DurableObjectState,
    kicks: Kicks,
    tokenExists: (digest: string) => Promise<boolean>,
  ) {
    this.#context = context;
    this.#kicks = kicks;
    this.#tokenExists = tokenExists;
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  async open(request: Request): Promise<Response> {
    const name = decodeURIComponent(request.headers.get(PROXY_NAME) ?? "");
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.#context.acceptWebSocket(ours, [name]);
    const until = request.headers.get(TOKEN_EXPIRES);
    const digest = request.headers.get(TOKEN_DIGEST) ?? "";
    ours.serializeAttachment({ digest, until: until === null ? null : Number(until) });
    // The token may have been deleted since the worker read it, and `disconnect` may have come before this line.
    await this.#closeIfDeleted(ours, digest);
    if (ours.readyState !== WebSocket.READY_STATE_OPEN) {
      // The object cannot hibernate while one end is open.
      theirs.accept();
      theirs.close();
      return new Response(null, { status: 401 });
    }
    return new Response(null, { status: 101, webSocket: theirs });
  }

  /** A proxy receives kicks only after it has sent its presence. */
  async receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (!isOpen(socket, Date.now())) return;
    const presence = parsePresence(message);
    if (presence === null) {
      socket.close(POLICY_VIOLATION, "the message is not a proxy's presence");
      return;
    }
    const { digest, until } = SocketAttachment.parse(socket.deserializeAttachment());
    // A token that was deleted in the database itself, or while this object was away, ends with the next presence.
    await this.#closeIfDeleted(socket, digest);
    const now = Date.now();
    if (!isOpen(socket, now)) return;
    const { heard, age, host, version, sessions } = presence;
    const { kicks, last, complete } = this.#kicks.missedBy(heard, age, now);
    for (const kick of kicks) send(socket, { kind: "kick", ...kick });
    send(socket, { kind: "heard", last, complete });
    const [name = ""] = this.#context.getTags(socket);
    const since = proxyOf(socket)?.since ?? now;
    socket.serializeAttachment({ digest, until, name, host, version, sessions, since, seen: now });
  }

  broadcast(kick: Kick): void {
    const now = Date.now();
    for (const socket of this.#context.getWebSockets()) {
      if (isOpen(socket, now) && proxyOf(socket) !== null) send(socket, { kind: "kick", ...kick });
    }
  }

  /** The connected proxies, in the order of their names. */
  get connected(): readonly ConnectedProxy[] {
    const earliest = Date.now() - MAX_SILENCE;
    return this.#context
      .getWebSockets()
      .flatMap((socket) => {
        const proxy = proxyOf(socket);
        if (proxy === null) return [];
        const ping = this.#context.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
        const seen = Math.max(ping, proxy.seen);
        return seen > earliest ? [{ ...proxy, seen }] : [];
      })
      .toSorted((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1));
  }

  /** Closes the connections whose tokens have expired. */
  closeExpired(now: number): void {
    for (const socket of this.#context.getWebSockets()) isOpen(socket, now);
  }

  /** When the next token of a connection expires, ms since the epoch; null if none does. */
  nextExpiry(now: number): number | null {
    const times = this.#context.getWebSockets().map((socket) => expiryOf(socket) ?? 0);
    const next = Math.min(...times.filter((time) => time > now));
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  /** Closes the connections of a proxy whose token was deleted. */
  disconnect(name: string): void {
    for (const socket of this.#context.getWebSockets(name)) {
      socket.close(POLICY_VIOLATION, DELETED);
    }
  }

  /** While the directory is away no token can be deleted, and kicks must go on. */
  async #closeIfDeleted(socket: WebSocket, digest: string): Promise<void> {
    if (await this.#tokenExists(digest).catch(() => true)) return;
    socket.close(POLICY_VIOLATION, DELETED);
  }
}

/** False for a connection that is closing. Closes one whose token has expired. */
function isOpen(socket: WebSocket, now: number): boolean {
  if (socket.readyState !== WebSocket.READY_STATE_OPEN) return false;
  const until = expiryOf(socket);
  if (until === null || until > now) return true;
  socket.close(POLICY_VIOLATION, "the token has expired");
  return false;
}

/** ms since the epoch; null for a token that does not expire. */
function expiryOf(socket: WebSocket): number | null {
  return SocketAttachment.parse(socket.deserializeAttachment()).until;
}

function parsePresence(message: string | ArrayBuffer): Presence | null {
  if (typeof message !== "string" || message.length > MAX_MESSAGE_LENGTH) return null;
  try {
    return PresenceSchema.parse(JSON.parse(message));
  } catch {
    return null;
  }
}

/** Null before the proxy has sent its presence. */
function proxyOf(socket: WebSocket): ConnectedProxy | null {
  return ProxyAttachment.safeParse(socket.deserializeAttachment()).data ?? null;
}

function sortKey({ name, host }: ConnectedProxy): string {
  return `${name}\n${host}`;
}

/** A proxy whose socket is closing gets the kick from storage when it connects again. */
function send(socket: WebSocket, message: FleetMessage): void {
  if (socket.readyState === WebSocket.READY_STATE_OPEN) socket.send(JSON.stringify(message));
}
