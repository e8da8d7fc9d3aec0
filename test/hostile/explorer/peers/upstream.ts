/** A simulated mail server, good or bad. */
import type { ProtocolName } from "../../../../shared/lookup.ts";
import type { SimConnection } from "../connection.ts";
import type { Add, Network, Peer } from "../network.ts";
import {
  CONVERSATIONS,
  type Conversation,
  DECLINES,
  GREETINGS,
  INJECTED,
  type Judge,
  UPSTREAM_MARK,
} from "./conversations.ts";

/** The characters of bad servers. */
const CHARACTERS = ["refuses", "declines", "silent", "injects", "babbles", "endless"] as const;

/** Ports at which TLS comes before the greeting. */
const TLS_PORTS: ReadonlySet<number> = new Set([993, 995, 465]);

export class Upstream implements Peer, Judge {
  readonly connection: SimConnection;
  /** True once the server has accepted the login, and has said so. */
  saidYes = false;
  /** True once Postern moves bytes between the client and this server. */
  relaying = false;
  /** Bytes read behind the login. */
  relayed = "";
  /** Bytes sent behind the login. */
  sent = "";
  readonly #network: Network;
  readonly #protocol: ProtocolName;
  readonly #judge: (login: string, secret: string) => void;
  readonly #character: "good" | (typeof CHARACTERS)[number];
  readonly #conversation: Conversation;
  #greeted = false;
  #line = "";
  /** Replies that are not sent yet. */
  readonly #replies: string[] = [];
  /** Set once the login is judged; the reply may not be sent yet. */
  #accepted = false;
  #chunks = 0;
  #finished = false;

  /** @param judge hears each account that Postern sends */
  constructor(
    network: Network,
    protocol: ProtocolName,
    connection: SimConnection,
    judge: (login: string, secret: string) => void,
  ) {
    this.#network = network;
    this.#protocol = protocol;
    this.connection = connection;
    this.#judge = judge;
    this.#character = network.choices.below(6) === 5 ? network.choices.pick(CHARACTERS) : "good";
    this.#conversation = CONVERSATIONS[protocol](this);
    this.#conversation.next();
  }

  options(add: Add): void {
    const { connection } = this;
    if (this.#finished || connection.gone || !this.#greeted) return;
    const [reply] = this.#replies;
    if (reply !== undefined && this.#character !== "silent") add(8, () => this.#say(reply));
    if (this.relaying && this.#chunks < 4) add(2, () => this.#sendMore());
    const { breaks } = this.#network.mishaps;
    if (this.relaying) add(0.3, () => this.#finish());
    else add(0.15 * breaks, () => this.#finish());
    add(0.15 * breaks, () => connection.break());
  }

  ready(): void {
    const { connection } = this;
    if (this.#greeted || (TLS_PORTS.has(connection.remote.port) && connection.tls === null)) return;
    this.#greeted = true;
    this.#replies.push(this.#greeting());
  }

  #greeting(): string {
    switch (this.#character) {
      case "declines":
        return DECLINES[this.#protocol];
      case "babbles":
        return "one line\r\nand another\r\n";
      case "endless":
        return "* OK ".padEnd(5000, "x");
      case "good":
      case "refuses":
      case "silent":
      case "injects":
        return this.#network.choices.pick(GREETINGS[this.#protocol]);
    }
  }

  #say(reply: string): void {
    this.#replies.shift();
    if (this.#accepted && !this.saidYes) {
      this.saidYes = true;
      if (this.#network.choices.oneIn(3)) this.#sendMore(reply);
      else this.connection.send(reply);
    } else this.connection.send(reply);
    this.#network.trace(() => `${this.connection.name} sends ${JSON.stringify(reply)}`);
  }

  #sendMore(before = ""): void {
    const chunk = `${UPSTREAM_MARK}${++this.#chunks}${UPSTREAM_MARK}`;
    this.#network.trace(() => `${this.connection.name} sends "${chunk}"`);
    this.sent += chunk;
    this.connection.send(before + chunk);
  }

  #finish(): void {
    this.#finished = true;
    this.connection.finish();
  }

  received(text: string): void {
    if (this.relaying) {
      this.relayed += text;
      return;
    }
    this.#line += text;
    for (;;) {
      const end = this.#line.indexOf("\r\n");
      if (end === -1) return;
      const line = this.#line.slice(0, end);
      this.#line = this.#line.slice(end + 2);
      if (!line.startsWith("PROXY ")) this.#answer(line);
    }
  }

  #answer(line: string): void {
    const reply = this.#conversation.next(line).value;
    if (!reply || reply.text === "") return;
    const injects = reply.tls === true && this.#character === "injects";
    this.#replies.push(injects ? reply.text + INJECTED[this.#protocol] : reply.text);
  }

  accepts(login: string, secret: string): boolean {
    this.#judge(login, secret);
    this.#accepted = this.#character !== "refuses";
    return this.#accepted;
  }

  acceptsNone(): void {
    this.#accepted = true;
  }

  ended(): void {}
}
