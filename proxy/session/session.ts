/**
 * One client's life: greet, authenticate, look up, connect, splice, end.
 *
 * A session has one phase, one deadline and one `#end`. It knows no protocol (that is the dialogue's) and
 * no socket (that is the transport's). Once bytes are spliced it holds neither buffers nor the password.
 */
import type { ByteString, ProtocolName } from "../../shared/lookup.ts";
import { type Credentials, type Dialogue, PIPELINE, type Step } from "../protocols/index.ts";
import {
  type Connection,
  type Deadline,
  type Expiring,
  Input,
  type Receiver,
  type Splice,
  type SpliceReport,
} from "../transport/index.ts";
import type { Listen, LogLevel } from "../config/index.ts";
import type { LiveSession, SessionState } from "../observe/index.ts";
import { TIMED_OUT, reason } from "../reason.ts";
import { Arrival } from "./arrival.ts";
import { Attempt } from "./attempt.ts";
import { Client } from "./client.ts";
import type { Outcome } from "./outcome.ts";
import { type TurnedAway, handshakeFailed, judgeCertificate, secure } from "./secure.ts";
import type { Server } from "./server.ts";
import { Standing } from "./standing.ts";
import { ACTIONS, KICKED, Story } from "./story.ts";

type Phase =
  | { readonly name: "arriving"; readonly arrival: Arrival }
  /** A handshake after STARTTLS, in the time that the client had for its commands, and in more of it. */
  | { readonly name: "starttls" }
  | { readonly name: "handshake" }
  /** Before the greeting (`smtp_greeting_delay`). */
  | { readonly name: "delay" }
  /** Waiting for the client, or for it to read our replies. */
  | { readonly name: "commands" }
  | { readonly name: "blocked" }
  /** Waiting for the lookup, then for the upstream. */
  | { readonly name: "attempt"; readonly attempt: Attempt }
  /** A refusal that is held back for a while (`Auth-Wait`). */
  | { readonly name: "waiting"; readonly refusal: Step }
  | { readonly name: "proxying"; readonly splice: Splice }
  | { readonly name: "ended" };

/** ms; a `timeout` that is longer is what an nginx would give. */
const LOGIN_TIMEOUT = 300_000;
/** What each phase is counted as. */
const STATES = {
  arriving: "arriving",
  starttls: "arriving",
  handshake: "arriving",
  delay: "arriving",
  commands: "commands",
  blocked: "commands",
  attempt: "login",
  waiting: "login",
  proxying: "proxying",
  ended: "proxying",
} as const satisfies Record<Phase["name"], SessionState>;

export class Session implements Receiver, Expiring {
  /** Tells it from others of its process; later ones have higher ones. */
  readonly number: number;
  readonly #server: Server;
  readonly #client: Connection;
  readonly #identity: Client;
  readonly #deadline: Deadline;
  readonly #onEnd: (session: Session) => void;
  readonly #story: Story;
  readonly #standing: Standing;
  /** When the client's time to log in is over, on `performance.now()`'s clock. */
  readonly #loginDue: number;
  #phase: Phase = { name: "handshake" };
  /** Both null once bytes are spliced. */
  #dialogue: Dialogue | null = null;
  #input: Input | null = new Input();
  /** Refused logins. */
  #failures = 0;

  constructor(
    server: Server,
    client: Connection,
    number: number,
    onEnd: (session: Session) => void,
  ) {
    this.number = number;
    this.#server = server;
    this.#client = client;
    this.#identity = new Client(client);
    this.#onEnd = onEnd;
    this.#deadline = server.transport.deadline(this);
    this.#story = new Story(server, this.#identity, number);
    this.#standing = new Standing(server, this.#story, number);
    const { login_timeout, timeout } = server.settings;
    this.#loginDue = performance.now() + (login_timeout ?? Math.max(LOGIN_TIMEOUT, timeout));
    client.receiver = this;
  }

  get protocol(): ProtocolName {
    return this.#server.protocol.name;
  }

  get state(): SessionState {
    return STATES[this.#phase.name];
  }

  /** What an operator may see of it. */
  get current(): LiveSession {
    const phase = this.#phase;
    return this.#story.current(this.state, phase.name === "proxying" ? phase.splice : null);
  }

  /** @param listen what the socket that accepted the client expects to come first */
  start(listen: Listen): void {
    this.#story.began(listen);
    this.#guard(this.#arrive(listen));
  }

  async #arrive(listen: Listen): Promise<void> {
    const arrival = new Arrival(this.#server, this.#identity, this.#story, this.#standing);
    this.#phase = { name: "arriving", arrival };
    const refusal = await arrival.run(listen, (ms) => this.#limit(ms));
    if (!this.#stillIn("arriving")) return;
    if (refusal !== null) this.#turnAway(refusal);
    else if (arrival.dialogue !== null) this.#begin(arrival.dialogue);
  }

  #begin(dialogue: Dialogue): void {
    this.#dialogue = dialogue;
    if (dialogue.greetingDelay === 0) {
      this.#greet(dialogue);
      return;
    }
    this.#phase = { name: "delay" };
    this.#limit(dialogue.greetingDelay);
    if (this.#input !== null && this.#input.length > 0) this.#tooEarly(dialogue, this.#input);
  }

  #greet(dialogue: Dialogue): void {
    this.#limit(this.#server.settings.timeout);
    this.#speak({ kind: "reply", text: dialogue.greeting() });
  }

  /** Says something, and is ready for commands. */
  #speak(step: Step): void {
    const dialogue = this.#dialogue;
    const input = this.#input;
    if (dialogue === null || input === null) return;
    this.#phase = { name: "commands" };
    this.#take(step, dialogue, input);
    this.#advance();
  }

  #turnAway({ reason: refusal, log, why, farewell }: TurnedAway): void {
    if (log !== null) this.#log(log.level, log.note);
    this.#story.turnedAway(refusal);
    if (farewell !== null) this.#client.write(farewell);
    this.#end(why);
  }

  #tooEarly(dialogue: Dialogue, input: Input): void {
    this.#take(dialogue.early(input), dialogue, input);
  }

  /** The server shuts down: whoever has not logged in is sent away; spliced sessions go on. */
  shutDown(): void {
    const phase = this.#phase;
    if (phase.name === "proxying") return;
    const dialogue = phase.name === "arriving" ? phase.arrival.dialogue : this.#dialogue;
    if (dialogue !== null) this.#client.write(dialogue.goodbye());
    this.#end("the server shut down");
  }

  /** Ends the session whatever it does. */
  terminate(): void {
    if (this.#phase.name === "proxying") this.#phase.splice.stop();
    else this.#end("the server was stopped");
  }

  /**
   * Ends it where it is this user's, or they are about to log in. What is spliced just ends: a byte of ours
   * might stand in the middle of something.
   *
   * @returns whether it was
   */
  kick(user: ByteString): boolean {
    const phase = this.#phase;
    if (phase.name !== "attempt" && phase.name !== "proxying") return false;
    if (!this.#story.isOf(user)) return false;
    this.#story.kicked();
    if (phase.name === "proxying") phase.splice.stop();
    else {
      if (this.#dialogue !== null) this.#client.write(this.#dialogue.unavailable());
      this.#end(KICKED);
    }
    return true;
  }

  received(bytes: Uint8Array): void {
    const input = this.#input;
    if (input === null) return;
    input.append(bytes);
    if (input.length >= PIPELINE) this.#client.pause();
    const dialogue = this.#dialogue;
    if (this.#phase.name === "delay" && dialogue !== null) this.#tooEarly(dialogue, input);
    else this.#advance();
  }

  drained(): void {
    if (this.#phase.name !== "blocked") return;
    this.#phase = { name: "commands" };
    this.#advance();
  }

  /**
   * A client that has said all (`printf … | nc -N`) still gets its answers. One that leaves while it waits
   * for us, with nothing more to say, has gone.
   */
  ended(): void {
    if (this.#phase.name === "commands") this.#advance();
    else if (this.#phase.name !== "blocked" && this.#input?.length === 0) this.#clientGone(null);
  }

  closed(error: Error | null): void {
    this.#clientGone(error);
  }

  expired(): void {
    const phase = this.#phase;
    switch (phase.name) {
      case "arriving":
      case "handshake":
      case "commands":
      case "blocked":
        this.#late();
        break;
      case "starttls":
        // nginx gives a client that took its time before STARTTLS as much again for the handshake.
        this.#phase = { name: "handshake" };
        this.#limit(this.#server.settings.timeout);
        break;
      case "waiting":
        this.#refused(phase.refusal);
        break;
      case "delay":
        if (this.#overdue) this.#late();
        else if (this.#dialogue !== null) this.#greet(this.#dialogue);
        break;
      case "attempt":
        phase.attempt.expire();
        break;
      case "proxying":
      case "ended":
        break;
    }
  }

  /** Sets a time limit for the client, and never one beyond its time to log in. */
  #limit(ms: number): void {
    this.#deadline.set(Math.min(ms, this.#loginDue - performance.now()));
  }

  get #overdue(): boolean {
    return performance.now() >= this.#loginDue;
  }

  /** nginx closes without a word when `timeout` is over; so do we, but not when `login_timeout` is. */
  #late(): void {
    this.#log("info", `client ${TIMED_OUT}`);
    this.#server.refusals.count("login_timeout");
    if (this.#overdue && this.#dialogue !== null && !this.#inHandshake) {
      this.#client.write(this.#dialogue.late());
    }
    this.#end("the client timed out");
  }

  /** Takes the client's commands one after another, until one must wait or none is whole. */
  #advance(): void {
    const dialogue = this.#dialogue;
    const input = this.#input;
    while (dialogue !== null && input !== null && this.#phase.name === "commands") {
      const step = dialogue.next(input);
      if (step === null) {
        if (this.#client.finished) this.#clientGone(null);
        else this.#client.resume();
        return;
      }
      this.#take(step, dialogue, input);
    }
  }

  #take(step: Step, dialogue: Dialogue, input: Input): void {
    if ("note" in step && step.note !== undefined) this.#log("info", step.note);
    switch (step.kind) {
      case "reply":
        this.#say(step.text);
        break;
      case "farewell":
        this.#say(step.text);
        this.#end(step.note ?? "the client said goodbye");
        break;
      case "refusal":
        this.#say(step.text);
        this.#end("the login was refused");
        break;
      case "starttls":
        this.#guard(this.#startTls(step.text, dialogue, input));
        break;
      case "login":
        this.#guard(this.#authenticate(step.credentials, dialogue));
        break;
    }
  }

  #say(text: ByteString): void {
    if (!this.#client.write(text)) this.#phase = { name: "blocked" };
  }

  /** Commands sent in the clear must not be taken for commands under TLS (CVE-2011-0411 and its kind). */
  async #startTls(reply: ByteString, dialogue: Dialogue, input: Input): Promise<void> {
    if (input.length > 0) {
      this.#log("info", "client sent commands behind STARTTLS in the clear");
      this.#end("the client sent commands behind STARTTLS in the clear");
      return;
    }
    this.#client.write(reply);
    this.#story.upgrading();
    this.#phase = { name: "starttls" };
    const failure = await secure(this.#server, this.#identity);
    if (this.#stillIn("ended")) return;
    dialogue.secured();
    const refusal = failure ?? judgeCertificate(this.#server, this.#identity, dialogue);
    if (refusal !== null) {
      this.#turnAway(refusal);
      return;
    }
    this.#phase = { name: "commands" };
    this.#advance();
  }

  async #authenticate(credentials: Credentials, dialogue: Dialogue): Promise<void> {
    const attempt = new Attempt({
      server: this.#server,
      client: this.#identity,
      dialogue,
      story: this.#story,
      standing: this.#standing,
      deadline: this.#deadline,
    });
    this.#phase = { name: "attempt", attempt };
    const outcome = await attempt.run(credentials);
    if (!this.#stillIn("attempt")) {
      if (outcome.kind === "loggedIn") outcome.upstream.destroy();
      return;
    }
    this.#story.decided(outcome);
    switch (outcome.kind) {
      case "loggedIn":
        this.#proxy(outcome);
        break;
      case "refused":
        this.#refuse(outcome, dialogue);
        break;
      case "failed":
        this.#say(outcome.reply);
        this.#end(outcome.why);
        break;
    }
  }

  /** nginx closes after a refusal, unless the lookup gave the client a wait and another try. */
  #refuse({ reply, challenge, wait }: Outcome & { kind: "refused" }, dialogue: Dialogue): void {
    const { max_login_failures: most } = this.#server.settings;
    const over = wait === 0 || ++this.#failures === most;
    const last: Step = { kind: over ? "refusal" : "reply", text: reply };
    const refusal: Step =
      challenge === null ? last : { kind: "reply", text: dialogue.challenge(challenge, last) };
    this.#phase = { name: "waiting", refusal };
    if (wait === 0) this.#refused(refusal);
    else this.#deadline.set(wait * 1000);
  }

  #refused(refusal: Step): void {
    this.#limit(this.#server.settings.timeout);
    this.#speak(refusal);
  }

  #proxy({ upstream, reply, rest }: Outcome & { kind: "loggedIn" }): void {
    const { transport, settings } = this.#server;
    const pipelined = this.#input?.rest();
    this.#input = null;
    this.#dialogue = null;
    this.#deadline.clear();
    this.#client.write(reply);
    if (rest.length > 0) this.#client.write(rest);
    if (pipelined !== undefined && pipelined.length > 0) upstream.write(pipelined);
    const limits = { idle: settings.proxy_timeout, halfClosed: settings.timeout };
    const splice = transport.splice(this.#client, upstream, limits, (report) => {
      this.#spliced(report);
    });
    // Where both sides had ended already, so has the splice, and the session with it.
    if (this.#stillIn("attempt")) this.#phase = { name: "proxying", splice };
  }

  #spliced(report: SpliceReport): void {
    const { end } = report;
    if (end.by === "idle") this.#log("info", `client ${TIMED_OUT}`);
    if ("error" in end && end.error !== null) {
      this.#log(end.by === "client" ? "info" : "error", reason(end.error));
    }
    this.#story.spliced(report);
    this.#end(this.#story.splicedEnd(report));
  }

  /** A fault of ours ends this session and no other. */
  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#story.faulted(error);
      this.#end("a fault in Postern");
    });
  }

  #clientGone(error: Error | null): void {
    if (error !== null && this.#inHandshake) {
      this.#turnAway(handshakeFailed(error));
      return;
    }
    if (error !== null) this.#log("info", reason(error));
    this.#end(error === null ? "the client closed the connection" : `client ${reason(error)}`);
  }

  /** Says in the error log what happens in the current phase. */
  #log(level: LogLevel, message: string): void {
    const phase = this.#phase;
    const name = phase.name === "arriving" ? phase.arrival.stage : phase.name;
    this.#story.log(level, message, name === "ended" ? "" : ACTIONS[name]);
  }

  get #inHandshake(): boolean {
    const phase = this.#phase;
    if (phase.name === "arriving") return phase.arrival.stage === "handshake";
    return phase.name === "handshake" || phase.name === "starttls";
  }

  #stillIn(name: Phase["name"]): boolean {
    return this.#phase.name === name;
  }

  /** The one way out. What has been said is still sent. */
  #end(why: string): void {
    const phase = this.#phase;
    if (phase.name === "ended") return;
    this.#phase = { name: "ended" };
    if (phase.name === "attempt") phase.attempt.cancel();
    if (phase.name === "arriving") phase.arrival.cancel();
    this.#deadline.clear();
    this.#standing.leaves();
    this.#client.close();
    this.#input = null;
    this.#dialogue = null;
    this.#story.ended(why);
    this.#onEnd(this);
  }
}
