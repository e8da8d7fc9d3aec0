/**
 * The talk with a client that has not logged in: the greeting, its commands one after another, STARTTLS, and
 * what it hears of a refused login. How its protocol puts that is the dialogue's affair; how a login is tried,
 * the session's.
 */
import type { ByteString } from "../../shared/lookup.ts";
import { type Credentials, type ProtocolHandler, PIPELINE, type Step } from "../protocols/index.ts";
import type { Input } from "../transport/index.ts";
import type { Client } from "./client.ts";
import type { LoginTime } from "./login-time.ts";
import type { Outcome } from "./outcome.ts";
import { judgeCertificate, secure } from "./secure.ts";
import type { Server } from "./server.ts";
import { ACTIONS, ENDS, type Story } from "./story.ts";

type Stage =
  /** Before the greeting (`smtp_greeting_delay`). */
  | { readonly name: "delay" }
  /** Waiting for the client, or for it to read our replies. */
  | { readonly name: "commands" }
  | { readonly name: "blocked" }
  /** A handshake after STARTTLS, in the time that the client had for its commands, and in more of it. */
  | { readonly name: "starttls" }
  | { readonly name: "handshake" }
  /** Waiting for what comes of a login. */
  | { readonly name: "attempt" }
  /** A refusal that is held back for a while (`Auth-Wait`). */
  | { readonly name: "waiting"; readonly refusal: Step };

/** Whose talk it is, and who hears what comes of it. */
export interface Talking {
  /** The client wants to log in. The talk rests until it is told of a refusal. */
  login(credentials: Credentials, talk: Talk): void;
  /** @param farewell the client's last words to hear */
  end(why: string, farewell?: ByteString | null): void;
  /** A fault of ours. */
  fault(error: unknown): void;
}

/** What a talk has at hand. */
interface TalkContext {
  readonly server: Server;
  readonly client: Client;
  readonly story: Story;
  readonly time: LoginTime;
  readonly dialogue: ProtocolHandler;
  /** What the client has said already. */
  readonly input: Input;
}

export class Talk {
  readonly dialogue: ProtocolHandler;
  readonly #server: Server;
  readonly #client: Client;
  readonly #story: Story;
  readonly #time: LoginTime;
  readonly #input: Input;
  readonly #owner: Talking;
  #stage: Stage = { name: "delay" };
  /** Refused logins. */
  #failures = 0;
  #cancelled = false;

  constructor({ server, client, story, time, dialogue, input }: TalkContext, owner: Talking) {
    this.dialogue = dialogue;
    this.#server = server;
    this.#client = client;
    this.#story = story;
    this.#time = time;
    this.#input = input;
    this.#owner = owner;
  }

  /** What it is at. */
  get stage(): Stage["name"] {
    return this.#stage.name;
  }

  /** Greets the client, at once or when it has been silent for a while. */
  begin(): void {
    const { greetingDelay } = this.dialogue;
    if (greetingDelay === 0) {
      this.#greet();
      return;
    }
    this.#time.limit(greetingDelay);
    if (this.#input.length > 0) this.#tooEarly();
  }

  #greet(): void {
    this.#speak({ kind: "reply", text: this.dialogue.greeting() });
  }

  #tooEarly(): void {
    this.#take(this.dialogue.earlyTalker(this.#input));
  }

  /** Says something, and is ready for commands, for which the client has some time. */
  #speak(step: Step): void {
    this.#time.limit(this.#server.settings.timeout);
    this.#stage = { name: "commands" };
    this.#take(step);
    this.#advance();
  }

  /** nginx closes after a refusal, unless the lookup gave the client a wait and another try. */
  refused({ reply, challenge, wait }: Outcome & { kind: "refused" }): void {
    const { max_login_failures: most } = this.#server.settings;
    const over = wait === 0 || ++this.#failures === most;
    const last: Step = { kind: over ? "refusal" : "reply", text: reply };
    const refusal: Step =
      challenge === null ? last : { kind: "reply", text: this.dialogue.challenge(challenge, last) };
    if (wait === 0) this.#speak(refusal);
    else {
      this.#stage = { name: "waiting", refusal };
      this.#time.hold(wait * 1000);
    }
  }

  /** What the client has said behind its login, for the upstream. */
  rest(): Uint8Array {
    return this.#input.rest();
  }

  /** The client has gone, or nobody talks to it any more. */
  cancel(): void {
    this.#cancelled = true;
  }

  received(bytes: Uint8Array): void {
    this.#input.append(bytes);
    if (this.#input.length >= PIPELINE) this.#client.connection.pause();
    if (this.#stage.name === "delay") this.#tooEarly();
    else this.#advance();
  }

  drained(): void {
    if (this.#stage.name !== "blocked") return;
    this.#stage = { name: "commands" };
    this.#advance();
  }

  /**
   * A client that has said all (`printf … | nc -N`) still gets its answers. One that leaves while it waits
   * for us, with nothing more to say, has gone.
   */
  ended(): void {
    if (this.#stage.name === "commands") this.#advance();
    else if (this.#stage.name !== "blocked" && this.#input.length === 0) this.#owner.end(ENDS.left);
  }

  /** The time for the current stage is over. */
  expired(): void {
    const stage = this.#stage;
    switch (stage.name) {
      case "handshake":
      case "commands":
      case "blocked":
        this.#late();
        break;
      case "starttls":
        // nginx gives a client that took its time before STARTTLS as much again for the handshake.
        this.#stage = { name: "handshake" };
        this.#time.limit(this.#server.settings.timeout);
        break;
      case "waiting":
        this.#speak(stage.refusal);
        break;
      case "delay":
        if (this.#time.over) this.#late();
        else this.#greet();
        break;
      case "attempt":
        break;
    }
  }

  /** nginx closes without a word when `timeout` is over; so do we, but not when `login_timeout` is. */
  #late(): void {
    this.#story.late(ACTIONS[this.stage]);
    const told = this.#time.over && this.stage !== "handshake";
    this.#owner.end(ENDS.late, told ? this.dialogue.timedOut() : null);
  }

  /** Takes the client's commands one after another, until one must wait or none is whole. */
  #advance(): void {
    const { connection } = this.#client;
    while (this.#stage.name === "commands" && !this.#cancelled) {
      const step = this.dialogue.next(this.#input);
      if (step === null) {
        if (connection.finished) this.#owner.end(ENDS.left);
        else connection.resume();
        return;
      }
      this.#take(step);
    }
  }

  #take(step: Step): void {
    if ("note" in step && step.note !== undefined) this.#log(step.note);
    switch (step.kind) {
      case "reply":
        if (!this.#client.connection.write(step.text)) this.#stage = { name: "blocked" };
        break;
      case "farewell":
        this.#owner.end(step.note ?? "the client said goodbye", step.text);
        break;
      case "refusal":
        this.#owner.end("the login was refused", step.text);
        break;
      case "starttls":
        this.#startTls(step.text).catch((error: unknown) => this.#owner.fault(error));
        break;
      case "login":
        this.#stage = { name: "attempt" };
        this.#owner.login(step.credentials, this);
        break;
    }
  }

  /** Commands sent in the clear must not be taken for commands under TLS (CVE-2011-0411 and its kind). */
  async #startTls(reply: ByteString): Promise<void> {
    if (this.#input.length > 0) {
      this.#log("client sent commands behind STARTTLS in the clear");
      this.#owner.end("the client sent commands behind STARTTLS in the clear");
      return;
    }
    this.#client.connection.write(reply);
    this.#story.upgrading();
    this.#stage = { name: "starttls" };
    const failure = await secure(this.#server, this.#client);
    if (this.#cancelled) return;
    this.dialogue.secured();
    const refusal = failure ?? judgeCertificate(this.#server, this.#client, this.dialogue);
    if (refusal !== null) {
      this.#story.turnedAway(refusal, ACTIONS[this.stage]);
      this.#owner.end(refusal.why, refusal.farewell);
      return;
    }
    this.#stage = { name: "commands" };
    this.#advance();
  }

  #log(note: string): void {
    this.#story.log("info", note, ACTIONS[this.stage]);
  }
}
