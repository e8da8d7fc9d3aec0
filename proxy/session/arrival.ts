/** What comes before the greeting: a balancer's header, TLS, the client's certificate, the client's name. */
import type { Listen } from "../config/index.ts";
import { type ProtocolHandler, PIPELINE } from "../protocols/index.ts";
import { reason } from "../reason.ts";
import { type Resolver, clientHost } from "../resolver/index.ts";
import { Input } from "../transport/index.ts";
import type { Client } from "./client.ts";
import { receiveHeader } from "./header.ts";
import type { LoginTime } from "./login-time.ts";
import { type TurnedAway, judgeCertificate, secure } from "./secure.ts";
import type { Server } from "./server.ts";
import type { Limited, Standing } from "./standing.ts";
import { ACTIONS, type Story } from "./story.ts";

/** ms for the handshake of a client whom there is no room for, which is only to hear so. */
const HANDSHAKE_OF_NO_USE = 5000;

export class Arrival {
  /** What it is doing. */
  stage: "header" | "handshake" | "naming" = "handshake";
  /** In which the client can be spoken to; null while it cannot. */
  dialogue: ProtocolHandler | null = null;
  /** What the client says before it is asked. */
  readonly input = new Input();
  readonly #server: Server;
  readonly #client: Client;
  readonly #story: Story;
  readonly #standing: Standing;
  /** Gives up the search for the client's name; null where nobody searches. */
  #search: AbortController | null = null;
  #cancelled = false;

  constructor(server: Server, client: Client, story: Story, standing: Standing) {
    this.#server = server;
    this.#client = client;
    this.#story = story;
    this.#standing = standing;
  }

  /**
   * While it runs, somebody else receives the connection's events and keeps its time limit, and must `cancel`
   * it where the client goes; what it comes to then says nothing.
   *
   * @returns null for a client that may be greeted
   */
  async run({ ssl, proxyProtocol }: Listen, time: LoginTime): Promise<TurnedAway | null> {
    const { protocol, settings, resolver } = this.#server;
    time.limit(settings.timeout);
    const broken = proxyProtocol ? await this.#introduce() : null;
    if (broken !== null) return broken;
    this.stage = "handshake";
    const limited = await this.#admitted();
    if (this.#cancelled) return null;
    if (limited !== null) time.limit(Math.min(settings.timeout, HANDSHAKE_OF_NO_USE));
    const failure = ssl ? await secure(this.#server, this.#client) : null;
    if (failure !== null) return failure;
    const dialogue = protocol.open(ssl);
    if (limited !== null) return turnedAwayBy(limited, dialogue);
    const refusal = judgeCertificate(this.#server, this.#client, dialogue);
    if (refusal !== null) return refusal;
    this.dialogue = dialogue;
    this.#client.connection.resume();
    if (resolver !== null && !this.#cancelled) {
      this.stage = "naming";
      time.limit(Number.POSITIVE_INFINITY);
      await this.#name(resolver);
    }
    return null;
  }

  received(bytes: Uint8Array): void {
    this.input.append(bytes);
    if (this.input.length >= PIPELINE) this.#client.connection.pause();
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    this.#cancelled = true;
    this.#search?.abort();
  }

  /** Whether there is room for the client; what it says meanwhile is not read. */
  async #admitted(): Promise<Limited | null> {
    const standing = this.#standing.arrives(this.#client.address.host);
    if (standing === null) return null;
    this.#client.connection.pause();
    return standing;
  }

  /** A balancer says whom it speaks for. */
  async #introduce(): Promise<TurnedAway | null> {
    this.stage = "header";
    const { connection } = this.#client;
    const { receiver } = connection;
    try {
      const header = await receiveHeader(connection);
      if (header.kind === "proxied") this.#client.introduced(header.proxied, this.#server.trusts);
      return null;
    } catch (error) {
      return {
        reason: "proxy_protocol",
        log: { level: "error", note: reason(error) },
        why: "the PROXY header was broken",
        farewell: null,
      };
    } finally {
      connection.receiver = receiver;
    }
  }

  /** Finds out the client's name, whatever it says meanwhile. */
  async #name(resolver: Resolver): Promise<void> {
    this.#search = new AbortController();
    const { signal } = this.#search;
    try {
      this.#client.host = await clientHost(
        resolver,
        this.#client.address.host,
        { timeout: this.#server.settings.resolver_timeout, signal },
        (message, resolving) => this.#story.log("error", message, ACTIONS[resolving]),
      );
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function turnedAwayBy({ what, note }: Limited, dialogue: ProtocolHandler): TurnedAway {
  return { reason: null, log: null, why: note, farewell: dialogue.limited(what) };
}
