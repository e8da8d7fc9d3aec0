/**
 * One client's session: a state machine. Its states are the phases.
 *
 *   accept -> pre-auth <-> authenticate -> connect -> relay
 *
 * A session has one phase, one deadline and one `end`. The phase receives the client's bytes and owns the
 * deadline. The session knows no protocol (that is the handler's part) and no socket (the transport's).
 */
import type { ByteString, ProtocolName } from "../../shared/lookup.ts";
import type { Listen } from "../config/index.ts";
import type { Denial } from "../limits/index.ts";
import type { LiveSession, SessionState } from "../observe/index.ts";
import type { KickList } from "../revocation/index.ts";
import { type Connection, type Deadline, type Expiring, Input } from "../transport/index.ts";
import { Client } from "./client.ts";
import { LoginTime } from "./login-time.ts";
import { STEPS } from "./phase-table.ts";
import { AcceptPhase } from "./phases/accept.ts";
import type { Phase, SessionContext } from "./phases/phase.ts";
import type { Server } from "./server.ts";
import { SessionLimits } from "./session-limits.ts";
import { SessionTelemetry } from "./telemetry.ts";

export class Session implements SessionContext, Expiring {
  /** Unique in its process; later sessions have higher numbers. */
  readonly number: number;
  readonly server: Server;
  readonly client: Client;
  readonly input = new Input();
  readonly telemetry: SessionTelemetry;
  readonly limits: SessionLimits | null;
  readonly deadline: Deadline;
  readonly time: LoginTime;
  readonly #onEnd: (session: Session) => void;
  #phase: Phase;
  #ended = false;

  /** @param listen the socket that accepted the client */
  constructor(
    server: Server,
    connection: Connection,
    listen: Listen,
    number: number,
    onEnd: (session: Session) => void,
  ) {
    const { limits, limiter, transport, settings } = server;
    this.number = number;
    this.server = server;
    this.client = new Client(connection);
    this.telemetry = new SessionTelemetry(server, this.client, number);
    this.limits = limits && new SessionLimits(limits, limiter, number);
    this.deadline = transport.deadline(this);
    this.time = new LoginTime(this.deadline, settings);
    this.#onEnd = onEnd;
    this.telemetry.accepted(listen);
    this.#phase = new AcceptPhase(this, listen);
  }

  start(): void {
    this.enter(this.#phase);
  }

  get protocol(): ProtocolName {
    return this.server.protocol.name;
  }

  get state(): SessionState {
    return STEPS[this.#phase.step].state;
  }

  /** The session for an operator. */
  get live(): LiveSession {
    return this.telemetry.live(this.state, this.#phase.relayed);
  }

  enter(phase: Phase): void {
    if (this.#ended) return;
    this.#phase = phase;
    this.client.connection.receiver = phase;
    phase.begin();
  }

  isIn(phase: Phase): boolean {
    return this.#phase === phase && !this.#ended;
  }

  resumeWithVerdict(verdict: Promise<Denial | null>, next: (denial: Denial | null) => void): void {
    this.deadline.clear();
    this.resumeWith(verdict, next);
  }

  resumeWith<Value>(promise: Promise<Value>, next: (value: Value) => void): void {
    const phase = this.#phase;
    void this.#resumeWith(phase, promise, next);
  }

  async #resumeWith<Value>(
    phase: Phase,
    promise: Promise<Value>,
    next: (value: Value) => void,
  ): Promise<void> {
    try {
      const value = await promise;
      if (this.isIn(phase)) next(value);
    } catch (error) {
      if (this.isIn(phase)) this.fault(error);
    }
  }

  expired(): void {
    try {
      this.#phase.expired();
    } catch (error) {
      this.fault(error);
    }
  }

  /** The server shuts down. */
  shutDown(): void {
    this.#phase.shutDown();
  }

  /** Ends the session whatever it does. */
  terminate(): void {
    this.#phase.terminate();
  }

  /**
   * Ends the session of a user who is logging in or logged in.
   *
   * @returns false where no kick is about the session
   */
  kick(kicks: KickList): boolean {
    if (!this.#phase.kickable || !kicks.ends(this.client)) return false;
    this.telemetry.kicked();
    this.#phase.kick();
    return true;
  }

  /** A bug of Postern's ends this session and no other. */
  fault(error: unknown): void {
    this.telemetry.fault(error);
    this.end("a fault in Postern");
  }

  /** The only way out. Bytes written before are still sent. */
  end(reason: string, farewell: ByteString | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    if (farewell !== null) this.client.connection.write(farewell);
    this.#phase.cancel();
    this.deadline.clear();
    this.limits?.release();
    this.client.connection.close();
    this.telemetry.ended(reason);
    this.#onEnd(this);
  }
}
