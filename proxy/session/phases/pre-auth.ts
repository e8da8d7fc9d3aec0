/** The client's commands before it has logged in: the greeting, STARTTLS, and the replies to refused logins. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { ProtocolHandler, Step as CommandStep } from "../../protocols/index.ts";
import type { TlsReceiver } from "../../transport/index.ts";
import { ENDS, HANDSHAKE_TO_TELL } from "../phase-table.ts";
import { AuthenticatePhase, type LoginRetry, type RefusedLogin } from "./authenticate.ts";
import { checkCertificate, handshakeFailed } from "./client-tls.ts";
import { Phase, type SessionContext } from "./phase.ts";

/** Bytes of replies queued from which no further command is read until the client has read them. */
const FULL = 65_536;

/** Bytes of replies that are collected before they are written. */
const BATCH = 16_384;

export class PreAuthPhase extends Phase implements TlsReceiver, LoginRetry {
  step: "greetingDelay" | "commands" | "startTls" | "handshake" | "refusalDelay" = "commands";
  readonly handler: ProtocolHandler;
  /** Replies to pipelined commands, which go out in one write. */
  #replies: ByteString = "";
  /** True while the client does not read its replies. */
  #blocked = false;
  /** Set where the server shuts down while the client is in its handshake. */
  #shutsDown = false;
  #refusedLogins = 0;
  /** The refused login that the phase begins with; null for the greeting. */
  #refused: RefusedLogin | null = null;
  /** A refusal that is held back (`Auth-Wait`). */
  #heldBack: CommandStep | null = null;

  constructor(session: SessionContext, handler: ProtocolHandler) {
    super(session);
    this.handler = handler;
  }

  begin(): void {
    if (this.#refused !== null) this.#refuse(this.#refused);
    else if (this.handler.greetingDelay === 0) this.#greet();
    else this.#delayGreeting();
  }

  /** A client that talks before the greeting is disconnected. */
  #delayGreeting(): void {
    this.step = "greetingDelay";
    this.session.time.limit(this.handler.greetingDelay);
    if (this.session.input.length > 0) this.#takeEarlyTalker();
  }

  #greet(): void {
    this.#continueWith({ kind: "reply", text: this.handler.greeting() });
  }

  #takeEarlyTalker(): void {
    this.#take(this.handler.earlyTalker(this.session.input));
  }

  /** Takes a step, then commands, for which the client has time anew. */
  #continueWith(step: CommandStep): void {
    this.session.time.limit(this.session.server.settings.timeout);
    this.step = "commands";
    this.#take(step);
    this.#advance();
  }

  loginRefused(refused: RefusedLogin): void {
    this.#refused = refused;
    // The phases of the login have heard `drained` instead.
    this.#blocked = false;
    this.session.enter(this);
  }

  /** nginx closes after a refusal, unless the lookup gave the client a wait and another attempt. */
  #refuse({ reply, challenge, wait }: RefusedLogin): void {
    const { max_login_failures: most } = this.session.server.settings;
    const over = wait === 0 || ++this.#refusedLogins === most;
    const last: CommandStep = { kind: over ? "refusal" : "reply", text: reply };
    const refusal: CommandStep =
      challenge === null ? last : { kind: "reply", text: this.handler.challenge(challenge, last) };
    if (wait === 0) this.#continueWith(refusal);
    else {
      this.step = "refusalDelay";
      this.#heldBack = refusal;
      this.session.time.hold(wait * 1000);
    }
  }

  override received(bytes: Uint8Array): void {
    super.received(bytes);
    if (this.step === "greetingDelay") this.#takeEarlyTalker();
    else this.#advance();
  }

  override drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#advance();
  }

  /** A client that has sent all its commands (`printf … | nc -N`) still gets its answers. */
  override ended(): void {
    if (this.step !== "commands") super.ended();
    else this.#advance();
  }

  expired(): void {
    const { time, server } = this.session;
    switch (this.step) {
      case "commands":
      case "handshake":
        this.#timedOut();
        break;
      case "startTls":
        // nginx gives a client that took its time before STARTTLS as much again for the handshake.
        this.step = "handshake";
        time.limit(server.settings.timeout);
        break;
      case "refusalDelay":
        if (this.#heldBack !== null) this.#continueWith(this.#heldBack);
        break;
      case "greetingDelay":
        if (time.over) this.#timedOut();
        else this.#greet();
        break;
    }
  }

  /** nginx closes without a reply when `timeout` is over, and so does Postern; `login_timeout` gets a reply. */
  #timedOut(): void {
    this.session.telemetry.timedOut(this.doing);
    const told = this.session.time.over && this.step !== "handshake";
    this.session.end(ENDS.timedOut, told ? this.handler.timedOut() : null);
  }

  /** Takes the client's commands one after another, until one must wait or none has arrived whole. */
  #advance(): void {
    const { input, client } = this.session;
    while (this.step === "commands" && !this.#blocked && this.session.isIn(this)) {
      const step = this.handler.next(input);
      if (step !== null) this.#take(step);
      else {
        this.#flush();
        if (!client.connection.finished) client.connection.resume();
        // A client that has sent all its commands may still be reading the replies.
        else if (!this.#blocked) this.session.end(ENDS.left);
        return;
      }
    }
  }

  #take(step: CommandStep): void {
    if ("note" in step && step.note !== undefined) {
      this.session.telemetry.log("info", step.note, this.doing);
    }
    switch (step.kind) {
      case "reply":
        this.#replies += step.text;
        if (this.#replies.length >= BATCH) this.#flush();
        break;
      case "farewell":
        this.#end(step.note ?? "the client said goodbye", step.text);
        break;
      case "refusal":
        this.#end("the login was refused", step.text);
        break;
      case "starttls":
        this.#startTls(step.text);
        break;
      case "login":
        this.#flush();
        this.session.enter(
          new AuthenticatePhase(this.session, this.handler, this, step.credentials),
        );
        break;
    }
  }

  #flush(): void {
    if (this.#replies === "") return;
    const { connection } = this.session.client;
    const text = this.#replies;
    this.#replies = "";
    if (!connection.write(text)) this.#blocked = connection.queued >= FULL;
  }

  #end(reason: string, text: ByteString): void {
    const replies = this.#replies;
    this.#replies = "";
    this.session.end(reason, replies + text);
  }

  /** Commands sent in the clear must not be taken for commands under TLS (CVE-2011-0411 and its kind). */
  #startTls(reply: ByteString): void {
    const { input, client, server, telemetry } = this.session;
    if (input.length > 0) {
      const note = "client sent commands behind STARTTLS in the clear";
      telemetry.log("info", note, this.doing);
      this.#flush();
      this.session.end(`the ${note}`);
      return;
    }
    this.#replies += reply;
    this.#flush();
    telemetry.startTls();
    this.step = "startTls";
    if (server.tls === null) {
      handshakeFailed(this.session, new Error("no certificate is configured"), this.doing);
    } else client.connection.acceptTls(server.tls, this);
  }

  secured(): void {
    const { client, telemetry } = this.session;
    if (client.connection.tls !== null) telemetry.secured(client.connection.tls);
    this.handler.secured();
    if (this.#shutsDown) {
      super.shutDown();
      return;
    }
    if (!checkCertificate(this.session, this.handler, this.doing)) return;
    this.step = "commands";
    this.#advance();
  }

  /** A client in its handshake hears of the end behind it. */
  override shutDown(): void {
    if (this.step !== "startTls" && this.step !== "handshake") {
      super.shutDown();
      return;
    }
    const { time, server } = this.session;
    this.#shutsDown = true;
    this.step = "handshake";
    time.limit(Math.min(server.settings.timeout, HANDSHAKE_TO_TELL));
  }

  override closed(error: Error | null): void {
    if (error !== null && (this.step === "startTls" || this.step === "handshake")) {
      handshakeFailed(this.session, error, this.doing);
    } else super.closed(error);
  }
}
