/**
 * The live lines to the proxies: hibernating WebSockets of a Durable Object, which is out of memory while there is
 * nothing to say.
 */
import { z } from "zod";
import { PING, PONG, type Presence, type ToProxy } from "../../shared/fleet.ts";
import type { Kick, Kicks } from "./kicks.ts";
import type { Connected } from "./client.ts";

/** ms after which a line is down by which nothing has come, though every proxy pings. */
const SILENCE = 90_000;

/** Characters. */
const LONGEST_MESSAGE = 4096;

/** RFC 6455 section 7.4.1. */
const POLICY_VIOLATION = 1008;

const Text = z.string().regex(/^\P{Cc}*$/u);
const Count = z.int().nonnegative();

const PresenceText = z.object({
  host: Text.max(253),
  version: Text.max(64),
  sessions: Count,
  heard: Count.nullable(),
  age: z.number().nonnegative(),
}) satisfies z.ZodType<Presence>;

/** What is kept of a proxy with its line. */
const Attachment = PresenceText.pick({ host: true, version: true, sessions: true }).extend({
  name: z.string(),
  since: z.number(),
  seen: z.number(),
}) satisfies z.ZodType<Connected>;

/** What is kept with a line from its beginning: when its token is good no more, ms; null for never. */
const Ticket = z.object({ until: z.number().nullable() });

/** How the worker names the proxy to its object: a token's name, escaped as in a URL. */
export const PROXY_NAME = "X-Proxy-Name";

/** ms since the epoch at which the proxy's token expires, if it does. */
export const GOOD_UNTIL = "X-Good-Until";

export class Lines {
  readonly #context: DurableObjectState;
  readonly #kicks: Kicks;

  constructor(context: DurableObjectState, kicks: Kicks) {
    this.#context = context;
    this.#kicks = kicks;
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  open(request: Request): Response {
    const name = decodeURIComponent(request.headers.get(PROXY_NAME) ?? "");
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.#context.acceptWebSocket(ours, [name]);
    const until = request.headers.get(GOOD_UNTIL);
    ours.serializeAttachment({ until: until === null ? null : Number(until) });
    return new Response(null, { status: 101, webSocket: theirs });
  }

  /** It hears of no kick before it has said who it is and what it knows. */
  hear(line: WebSocket, message: string | ArrayBuffer): void {
    const presence = presenceIn(message);
    if (presence === null) {
      line.close(POLICY_VIOLATION, "this is no presence of a proxy");
      return;
    }
    const now = Date.now();
    const { until } = Ticket.parse(line.deserializeAttachment());
    // Each proxy says every minute that it is there.
    if (until !== null && until <= now) {
      line.close(POLICY_VIOLATION, "the token has expired");
      return;
    }
    const { heard, age, host, version, sessions } = presence;
    const { kicks, last, complete } = this.#kicks.missedBy(heard, age, now);
    for (const kick of kicks) send(line, { kind: "kick", ...kick });
    send(line, { kind: "heard", last, complete });
    const [name = ""] = this.#context.getTags(line);
    const since = connectedBy(line)?.since ?? now;
    line.serializeAttachment({ until, name, host, version, sessions, since, seen: now });
  }

  tell(kick: Kick): void {
    for (const line of this.#context.getWebSockets()) {
      if (connectedBy(line) !== null) send(line, { kind: "kick", ...kick });
    }
  }

  /** Those that are there, in the order of their names. */
  get connected(): readonly Connected[] {
    const silent = Date.now() - SILENCE;
    return this.#context
      .getWebSockets()
      .flatMap((line) => {
        const proxy = connectedBy(line);
        if (proxy === null) return [];
        const ping = this.#context.getWebSocketAutoResponseTimestamp(line)?.getTime() ?? 0;
        const seen = Math.max(ping, proxy.seen);
        return seen > silent ? [{ ...proxy, seen }] : [];
      })
      .toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  }

  /** Its token is good no more. */
  cut(name: string): void {
    for (const line of this.#context.getWebSockets(name)) {
      line.close(POLICY_VIOLATION, "the token was deleted");
    }
  }
}

function presenceIn(message: string | ArrayBuffer): Presence | null {
  if (typeof message !== "string" || message.length > LONGEST_MESSAGE) return null;
  try {
    return PresenceText.parse(JSON.parse(message));
  } catch {
    return null;
  }
}

/** Null before it has said who it is. */
function connectedBy(line: WebSocket): Connected | null {
  return Attachment.safeParse(line.deserializeAttachment()).data ?? null;
}

function keyOf({ name, host }: Connected): string {
  return `${name}\n${host}`;
}

/** One that is going down hears it from storage, when it is back. */
function send(line: WebSocket, message: ToProxy): void {
  if (line.readyState === WebSocket.READY_STATE_OPEN) line.send(JSON.stringify(message));
}
