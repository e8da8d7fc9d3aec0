/**
 * One client's life: it arrives, talks, logs in, is spliced to its upstream, ends.
 *
 * A session has one phase, one deadline and one `end`. It knows no protocol (that is the dialogue's) and
 * no socket (that is the transport's). Once bytes are spliced it holds neither buffers nor the password.
 */
import type { ByteString, ProtocolName } from "../../shared/lookup.ts";
import type { Credentials } from "../protocols/index.ts";
import type { Connection, Deadline, Expiring, Receiver, Splice } from "../transport/index.ts";
import type { Listen } from "../config/index.ts";
import type { LiveSession, SessionState } from "../observe/index.ts";
import { reason } from "../reason.ts";
import { Arrival } from "./arrival.ts";
import { Attempt } from "./attempt.ts";
import { Client } from "./client.ts";
import { LoginTime } from "./login-time.ts";
import type { Outcome } from "./outcome.ts";
import { type TurnedAway, handshakeFailed } from "./secure.ts";
import type { Server } from "./server.ts";
import { Standing } from "./standing.ts";
import { ACTIONS, ENDS, Story } from "./story.ts";
import { Talk, type Talking } from "./talk.ts";

type Phase =
  | { readonly name: "arriving"; readonly arrival: Arrival }
  | { readonly name: "talking"; readonly talk: Talk }
  /** Waiting for the lookup, then for the upstream; the talk goes on if that fails. */
  | { readonly name: "attempt"; readonly attempt: Attempt; readonly talk: Talk }
  | { readonly name: "proxying"; readonly splice: Splice }
  | { readonly name: "ended" };

/** What a session is at, in whichever phase. */
type Stage = Arrival["stage"] | Talk["stage"] | "proxying" | "ended";

/** What each stage is counted as. */
const STATES = {
  header: "arriving",
  handshake: "arriving",
  naming: "arriving",
  starttls: "arriving",
  delay: "arriving",
  commands: "commands",
  blocked: "commands",
  attempt: "login",
  waiting: "login",
  proxying: "proxying",
  ended: "proxying",
} as const satisfies Record<Stage, SessionState>;

export class Session implements Receiver, Expiring, Talking {
  /** Tells it from others of its process; later ones have higher ones. */
  readonly number: number;
  readonly #server: Server;
  readonly #client: Client;
  readonly #deadline: Deadline;
  readonly #onEnd: (session: Session) => void;
  readonly #story: Story;
  readonly #standing: Standing;
  #phase: Phase;

  constructor(
    server: Server,
    connection: Connection,
    number: number,
    onEnd: (session: Session) => void,
  ) {
    this.number = number;
    this.#server = server;
    this.#client = new Client(connection);
    this.#onEnd = onEnd;
    this.#deadline = server.transport.deadline(this);
    this.#story = new Story(server, this.#client, number);
    this.#standing = new Standing(server, this.#story, number);
    const arrival = new Arrival(server, this.#client, this.#story, this.#standing);
    this.#phase = { name: "arriving", arrival };
    connection.receiver = this;
  }

  get protocol(): ProtocolName {
    return this.#server.protocol.name;
  }

  get state(): SessionState {
    return STATES[this.#stage];
  }

  /** What an operator may see of it. */
  get current(): LiveSession {
    const phase = this.#phase;
    return this.#story.current(this.state, phase.name === "proxying" ? phase.splice : null);
  }

  get #stage(): Stage {
    const phase = this.#phase;
    switch (phase.name) {
      case "arriving":
        return phase.arrival.stage;
      case "talking":
      case "attempt":
        return phase.talk.stage;
      case "proxying":
      case "ended":
        return phase.name;
    }
  }

  /** The same in nginx's words. */
  get #doing(): string {
    const stage = this.#stage;
    return stage === "ended" ? "" : ACTIONS[stage];
  }

  get #talk(): Talk | null {
    return "talk" in this.#phase ? this.#phase.talk : null;
  }

  /** @param listen what the socket that accepted the client expects to come first */
  start(listen: Listen): void {
    this.#story.began(listen);
    if (this.#phase.name === "arriving") this.#guard(this.#arrive(listen, this.#phase.arrival));
  }

  async #arrive(listen: Listen, arrival: Arrival): Promise<void> {
    const time = new LoginTime(this.#deadline, this.#server.settings);
    const refusal = await arrival.run(listen, time);
    if (!this.#stillIn("arriving")) return;
    const { dialogue, input } = arrival;
    if (refusal !== null) this.#turnAway(refusal);
    else if (dialogue !== null) {
      const talk = new Talk(
        { server: this.#server, client: this.#client, story: this.#story, time, dialogue, input },
        this,
      );
      this.#phase = { name: "talking", talk };
      talk.begin();
    }
  }

  #turnAway(refusal: TurnedAway): void {
    this.#story.turnedAway(refusal, this.#doing);
    this.end(refusal.why, refusal.farewell);
  }

  /** The server shuts down: whoever has not logged in is sent away; spliced sessions go on. */
  shutDown(): void {
    const phase = this.#phase;
    if (phase.name === "proxying") return;
    const dialogue = phase.name === "arriving" ? phase.arrival.dialogue : this.#talk?.dialogue;
    this.end("the server shut down", dialogue?.shuttingDown());
  }

  /** Ends the session whatever it does. */
  terminate(): void {
    if (this.#phase.name === "proxying") this.#phase.splice.stop();
    else this.end("the server was stopped");
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
    else this.end(ENDS.kicked, phase.talk.dialogue.unavailable());
    return true;
  }

  received(bytes: Uint8Array): void {
    if (this.#phase.name === "arriving") this.#phase.arrival.received(bytes);
    else this.#talk?.received(bytes);
  }

  drained(): void {
    this.#talk?.drained();
  }

  ended(): void {
    const phase = this.#phase;
    if (phase.name !== "arriving") this.#talk?.ended();
    else if (phase.arrival.input.length === 0) this.end(ENDS.left);
  }

  closed(error: Error | null): void {
    if (error === null) this.end(ENDS.left);
    else if (this.#stage === "handshake" || this.#stage === "starttls") {
      this.#turnAway(handshakeFailed(error));
    } else {
      this.#story.log("info", reason(error), this.#doing);
      this.end(`client ${reason(error)}`);
    }
  }

  expired(): void {
    const phase = this.#phase;
    switch (phase.name) {
      case "arriving":
        this.#story.late(this.#doing);
        this.end(ENDS.late);
        break;
      case "talking":
        phase.talk.expired();
        break;
      case "attempt":
        phase.attempt.expire();
        break;
      case "proxying":
      case "ended":
        break;
    }
  }

  login(credentials: Credentials, talk: Talk): void {
    this.#guard(this.#logIn(credentials, talk));
  }

  async #logIn(credentials: Credentials, talk: Talk): Promise<void> {
    const attempt = new Attempt({
      server: this.#server,
      client: this.#client,
      dialogue: talk.dialogue,
      story: this.#story,
      standing: this.#standing,
      deadline: this.#deadline,
    });
    this.#phase = { name: "attempt", attempt, talk };
    const outcome = await attempt.run(credentials);
    if (!this.#stillIn("attempt")) {
      if (outcome.kind === "loggedIn") outcome.upstream.destroy();
      return;
    }
    this.#story.decided(outcome);
    switch (outcome.kind) {
      case "loggedIn":
        this.#proxy(outcome, talk.rest());
        break;
      case "refused":
        this.#phase = { name: "talking", talk };
        talk.refused(outcome);
        break;
      case "failed":
        this.end(outcome.why, outcome.reply);
        break;
    }
  }

  /** @param pipelined what the client has said behind its login */
  #proxy({ upstream, reply, rest }: Outcome & { kind: "loggedIn" }, pipelined: Uint8Array): void {
    const { transport, settings } = this.#server;
    const { connection } = this.#client;
    this.#deadline.clear();
    connection.write(reply);
    if (rest.length > 0) connection.write(rest);
    if (pipelined.length > 0) upstream.write(pipelined);
    const limits = { idle: settings.proxy_timeout, halfClosed: settings.timeout };
    const splice = transport.splice(connection, upstream, limits, (report) => {
      this.end(this.#story.spliced(report));
    });
    // Where both sides had ended already, so has the splice, and the session with it.
    if (this.#stillIn("attempt")) this.#phase = { name: "proxying", splice };
  }

  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => this.fault(error));
  }

  /** A fault of ours ends this session and no other. */
  fault(error: unknown): void {
    this.#story.faulted(error);
    this.end("a fault in Postern");
  }

  #stillIn(name: Phase["name"]): boolean {
    return this.#phase.name === name;
  }

  /** The one way out. What has been said is still sent. */
  end(why: string, farewell: ByteString | null = null): void {
    const phase = this.#phase;
    if (phase.name === "ended") return;
    this.#phase = { name: "ended" };
    if (farewell !== null) this.#client.connection.write(farewell);
    if (phase.name === "arriving") phase.arrival.cancel();
    if (phase.name === "attempt") phase.attempt.cancel();
    if ("talk" in phase) phase.talk.cancel();
    this.#deadline.clear();
    this.#standing.leaves();
    this.#client.connection.close();
    this.#story.ended(why);
    this.#onEnd(this);
  }
}
