/** A phase of a session: the receiver of the client's connection and the owner of the session's deadline. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { Denial } from "../../limits/index.ts";
import { PIPELINE, type ProtocolHandler } from "../../protocols/index.ts";
import { reason } from "../../reason.ts";
import type { Deadline, Expiring, Input, Receiver } from "../../transport/index.ts";
import type { Client } from "../client.ts";
import type { LoginTime } from "../login-time.ts";
import { ENDS, STEPS, type Step } from "../phase-table.ts";
import type { RelayedBytes } from "../record.ts";
import type { Server } from "../server.ts";
import type { SessionLimits } from "../session-limits.ts";
import type { SessionTelemetry } from "../telemetry.ts";

/** The session as its phases see it. */
export interface SessionContext {
  readonly server: Server;
  readonly client: Client;
  /** Bytes of the client that no phase has understood yet. */
  readonly input: Input;
  readonly telemetry: SessionTelemetry;
  /** Null where no limit is configured. */
  readonly limits: SessionLimits | null;
  /** Calls `expired` of the present phase. */
  readonly deadline: Deadline;
  readonly time: LoginTime;
  /** Ends the present phase and begins the next one. */
  enter(phase: Phase): void;
  /** True while this phase is the present one. */
  isIn(phase: Phase): boolean;
  /** Ends the session. @param farewell the last bytes for the client */
  end(reason: string, farewell?: ByteString | null): void;
  /** A bug of Postern's ends this session and no other. */
  fault(error: unknown): void;
  /** Continues with the primary's verdict on a claim. The client's time stands still until then. */
  resumeWithVerdict(verdict: Promise<Denial | null>, next: (denial: Denial | null) => void): void;
  /** Continues with a promised value, unless the session has gone on to another phase meanwhile. */
  resumeWith<Value>(promise: Promise<Value>, next: (value: Value) => void): void;
}

export abstract class Phase implements Receiver, Expiring {
  protected readonly session: SessionContext;

  constructor(session: SessionContext) {
    this.session = session;
  }

  abstract readonly step: Step;
  /** Speaks to the client; null while the client cannot be spoken to. */
  abstract readonly handler: ProtocolHandler | null;

  /** The phase is installed. */
  abstract begin(): void;
  /** The deadline is over. */
  abstract expired(): void;

  /** Gives up work under way, because the session ends. */
  cancel(): void {}

  /** True where a kick of the client's user ends the phase. */
  get kickable(): boolean {
    return false;
  }

  kick(): void {}

  /** Ends the session whatever it does. */
  terminate(): void {
    this.session.end(ENDS.stopped);
  }

  /** The server shuts down: a client that has not logged in is disconnected. */
  shutDown(): void {
    this.session.end("the server shut down", this.handler?.shuttingDown());
  }

  /** Null before the login. */
  get relayed(): RelayedBytes | null {
    return null;
  }

  /** nginx's words for the present step. */
  protected get doing(): string {
    return STEPS[this.step].doing;
  }

  received(bytes: Uint8Array): void {
    const { input, client } = this.session;
    input.append(bytes);
    if (input.length >= PIPELINE) client.connection.pause();
  }

  drained(): void {}

  /** A client that leaves while Postern works, with no command left to answer, is gone. */
  ended(): void {
    if (this.session.input.length === 0) this.session.end(ENDS.left);
  }

  closed(error: Error | null): void {
    if (error === null) {
      this.session.end(ENDS.left);
      return;
    }
    this.session.telemetry.log("info", reason(error), this.doing);
    this.session.end(`client ${reason(error)}`);
  }
}
