/**
 * Keeps a WebSocket to the worker open, by which the worker kicks users. The socket is opened anew whenever it fails,
 * and the kicks that were missed come then. Sessions do not need the socket.
 *
 * partysocket would save the growing delay alone: it has no pings, its timers keep a process alive, and its delay
 * cannot depend on the worker's answer.
 */
import { hostname } from "node:os";
import type { FleetSettings } from "../config/index.ts";
import type { ErrorLog } from "../observe/index.ts";
import type { Kick, LineState } from "../revocation/index.ts";
import { version } from "../version.ts";
import { LiveSocket } from "./live-socket.ts";
import { readMessage } from "./messages.ts";
import { probeLive } from "./requests.ts";

/** Carries out what the worker asks for, on the sessions of this proxy. */
export interface FleetHandler {
  /** Ends the sessions of revoked logins. */
  kick(kicks: readonly Kick[]): void;
  /** Kicks were lost that this proxy has missed. */
  lostKicks(): void;
  /** The line has another state, behind all kicks that have come by it. */
  changed(line: LineState): void;
  /** Clients that are connected now. */
  sessions(): Promise<number>;
}

/** ms */
export interface FleetTiming {
  /** Between two pings, and for the answer to one: a dead line is noticed within twice the time. */
  readonly ping: number;
  /** Between two presences. */
  readonly presence: number;
  /** Before a failed socket is opened anew: at first, and at most while that fails. */
  readonly first: number;
  readonly slowest: number;
  /** The same where the worker refuses the key. */
  readonly refused: number;
}

/** The worker answers pings without waking its Durable Object, so that pings cost little. */
const TIMING: FleetTiming = {
  ping: 5000,
  presence: 60_000,
  first: 1000,
  slowest: 30_000,
  refused: 60_000,
};

/** ms by which a replica of the directory may lag behind a kick from before this proxy's start. */
const LONGEST_LAG = 300_000;

const LOST_KICKS =
  "has lost kicks that this proxy missed: cached lookups are dropped, and sessions of users who were revoked " +
  "meanwhile go on until they are kicked";

/** The use of `auth_http_cache` while kicks may be missed. */
const CACHE_USE = {
  away: "cached lookups only stand in for an endpoint that is away",
  refused: "cached lookups are not used",
} as const;

export class FleetClient {
  readonly #settings: FleetSettings;
  readonly #handler: FleetHandler;
  readonly #log: Pick<ErrorLog, "write">;
  readonly #timing: FleetTiming;
  #lastKick: number | null;
  #socket: LiveSocket | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Sockets in a row by which no message came. */
  #failures = 0;
  /** The outage that the log has been told of. */
  #outage: "away" | "refused" | null = null;
  /** True once the log has been told of a message that is not understood. */
  #isGarbled = false;
  /** True once the log has been told of lost kicks, until the worker has answered a presence. */
  #hasLost = false;
  /** Kicks that are carried out together: those of a day may come at once. */
  #kicks: Kick[] = [];
  #carryOutSoon: NodeJS.Immediate | undefined;

  /** @param lastKick the number of the last kick received before; null for none */
  constructor(
    settings: FleetSettings,
    handler: FleetHandler,
    log: Pick<ErrorLog, "write">,
    lastKick: number | null = null,
    timing = TIMING,
  ) {
    this.#settings = settings;
    this.#handler = handler;
    this.#log = log;
    this.#lastKick = lastKick;
    this.#timing = timing;
    this.#open();
  }

  get lastKick(): number | null {
    return this.#lastKick;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#carryOut();
  }

  #open(): void {
    let isAnswered = false;
    const socket = new LiveSocket(
      this.#settings,
      {
        opened: () => {
          this.#handler.changed("catching up");
          void this.#present(socket);
        },
        received: (data) => {
          isAnswered = true;
          this.#received(data);
        },
        lost: () => void this.#lost(isAnswered),
      },
      this.#timing.ping,
    );
    this.#socket = socket;
  }

  /** Sends the presence. The worker answers with the kicks that this proxy has missed. */
  async #present(socket: LiveSocket): Promise<void> {
    const sessions = await this.#handler.sessions().catch(() => 0);
    if (this.#isClosed || socket !== this.#socket) return;
    const age = Math.round(process.uptime() * 1000) + LONGEST_LAG;
    socket.send({ host: hostname(), version, sessions, heard: this.#lastKick, age });
    this.#after(this.#timing.presence, () => void this.#present(socket));
  }

  #received(data: unknown): void {
    const message = readMessage(data);
    switch (message?.kind) {
      case undefined:
        if (!this.#isGarbled) this.#write("warn", "sent a message that is not understood, ignored");
        this.#isGarbled = true;
        break;
      case "kick":
        // A kick may come twice: when it happens, and among the missed ones.
        if (message.number <= (this.#lastKick ?? 0)) break;
        // A kick between the two came in a message that was not understood, or was dropped by the worker.
        if (this.#lastKick !== null && message.number > this.#lastKick + 1) this.#lostKicks();
        this.#lastKick = message.number;
        this.#kicks.push(message);
        this.#carryOutSoon ??= setImmediate(() => this.#carryOut());
        break;
      case "heard":
        this.#lastKick = message.last;
        if (!message.complete) this.#lostKicks();
        this.#hasLost = false;
        this.#carryOut();
        this.#handler.changed("connected");
        if (this.#outage !== null) this.#write("notice", "is connected again");
        this.#outage = null;
        this.#failures = 0;
        break;
      case "unknown":
        break;
    }
  }

  #lostKicks(): void {
    if (!this.#hasLost) this.#write("alert", LOST_KICKS);
    this.#hasLost = true;
    // Kicks from before the lost ones must not pass for later ones.
    this.#carryOut();
    this.#handler.lostKicks();
  }

  #carryOut(): void {
    clearImmediate(this.#carryOutSoon);
    this.#carryOutSoon = undefined;
    const kicks = this.#kicks;
    if (kicks.length === 0) return;
    this.#kicks = [];
    this.#handler.kick(kicks);
  }

  /** @param isAnswered true if the worker had sent a message */
  async #lost(isAnswered: boolean): Promise<void> {
    this.#socket = null;
    clearTimeout(this.#timer);
    this.#carryOut();
    if (this.#outage !== "refused") this.#handler.changed("away");
    if (isAnswered) {
      this.#after(spread(this.#timing.first), () => this.#open());
      return;
    }
    const { refused, why } = await probeLive(this.#settings);
    if (this.#isClosed) return;
    const outage = refused ? "refused" : "away";
    // The log is told once an outage.
    if (outage !== this.#outage) {
      this.#write(refused ? "alert" : "error", `connection failed: ${why}, ${CACHE_USE[outage]}`);
    }
    this.#outage = outage;
    this.#handler.changed(outage);
    const { first, slowest } = this.#timing;
    const slower = Math.min(first * 2 ** this.#failures++, slowest);
    this.#after(spread(refused ? this.#timing.refused : slower), () => this.#open());
  }

  #write(level: Parameters<ErrorLog["write"]>[0], text: string): void {
    this.#log.write(level, `fleet ${text}`);
  }

  #after(ms: number, work: () => void): void {
    if (!this.#isClosed) this.#timer = setTimeout(work, ms).unref();
  }
}

/** Keeps proxies that lost their sockets at the same moment from coming back at the same moment. */
function spread(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
