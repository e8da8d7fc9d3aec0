/**
 * The passage upstream: server after server, address after address, until one of them answers the login.
 *
 * A login may be repeated elsewhere until an upstream has judged it: what fails on the way says nothing of
 * the user, and an answer, whichever it is, is the last word.
 */
import type { TlsMode } from "../../shared/lookup.ts";
import type { Route } from "../lookup/index.ts";
import type { Account, LoginEnd } from "../protocols/index.ts";
import { TIMED_OUT } from "../reason.ts";
import {
  type Address,
  type Command,
  type Connection,
  Input,
  orGiveUp,
} from "../transport/index.ts";
import {
  type Dialled,
  type Dialer,
  OutboundProxyError,
  type Upstream,
  formatProxyHeader,
  isOurs,
  tlsMode,
} from "../upstream/index.ts";
import type { LoginContext } from "./login-context.ts";
import type { Outcome } from "./outcome.ts";
import { tooMany } from "./standing.ts";
import { type LoggedIn, type LoginProgress, logIn } from "./upstream-login.ts";
import { whyFailed } from "./why.ts";

/** One of the lookup's servers: what it is to be to us, and what is left of its addresses. */
interface Candidate extends Upstream {
  readonly dialer: Dialer;
  readonly untried: Set<Address>;
  readonly tls: TlsMode;
  /** What its certificate must be for. */
  readonly tlsName: string;
}

class TimedOut extends Error {
  override message = TIMED_OUT;
}

export class Passage implements LoginProgress {
  /** What is being done upstream, in nginx's words. */
  doing = "";
  readonly #context: LoginContext;
  readonly #since = performance.now();
  #tries = 0;
  #cancelled = false;
  /** The current one; null before the first. */
  #try: AbortController | null = null;
  /** What to tell the client if there is no other server to try; null where none has answered. */
  #last: Outcome | null = null;

  constructor(context: LoginContext) {
    this.#context = context;
  }

  /** What goes wrong on the way has been logged. */
  async run(route: Route, account: Account): Promise<Outcome> {
    const { health, settings } = this.#context.server;
    for (const server of health.order(route.servers, settings)) {
      if (!this.#mayTry()) break;
      let begun: AbortSignal | null = this.#begin();
      const candidate = await this.#candidate(server, route, begun);
      while (candidate !== null && candidate.untried.size > 0 && this.#mayTry()) {
        const outcome = await this.#pass(candidate, account, begun ?? this.#begin());
        if (outcome !== null) return outcome;
        begun = null;
      }
    }
    return this.#last ?? this.#failure("the upstream could not be reached");
  }

  /** The time for the current try is over. */
  expire(): void {
    this.#try?.abort(new TimedOut());
  }

  /** Nobody waits for the login any more. */
  cancel(): void {
    this.#cancelled = true;
    this.#try?.abort();
  }

  saying({ name, note }: Pick<Command, "name" | "note">): void {
    this.doing = `sending ${name} to upstream`;
    if (note !== undefined) this.#context.story.log("info", note, this.doing);
  }

  heard(): void {
    this.doing = "reading response from upstream";
  }

  securing(): void {
    this.doing = "SSL handshaking to upstream";
  }

  #mayTry(): boolean {
    if (this.#cancelled) return false;
    if (this.#tries === 0) return true;
    const { proxy_next_upstream, proxy_next_upstream_tries, proxy_next_upstream_timeout } =
      this.#context.server.settings;
    const tries = proxy_next_upstream_tries || Number.POSITIVE_INFINITY;
    const time = proxy_next_upstream_timeout || Number.POSITIVE_INFINITY;
    return proxy_next_upstream && this.#tries < tries && performance.now() - this.#since < time;
  }

  /** A server with its addresses; null where it has none, or is not to be had as it must be. */
  async #candidate(server: Address, route: Route, signal: AbortSignal): Promise<Candidate | null> {
    const { ways, health, settings } = this.#context.server;
    const tls = tlsMode(route.tls, settings.proxy_ssl, server.port);
    this.#context.story.connecting(server);
    if (tls === null) {
      // Which says nothing of the server.
      this.#context.story.log("error", "lookup forbids the TLS that proxy_ssl demands", this.doing);
      return null;
    }
    const limited = await this.#context.standing.goesTo(server);
    if (limited !== null) {
      this.#last = tooMany(limited, this.#context.dialogue);
      return null;
    }
    try {
      const dialer = await (tls === "tls" ? ways.tls : ways.clear)(server.host);
      const addresses = await dialer.addresses(server, signal);
      const untried = new Set(health.order(addresses, settings));
      const told = server === route.servers[0] ? route.tlsName : null;
      const name = told ?? settings.proxy_ssl_name ?? server.host;
      return { server, addresses, dialer, untried, tls, tlsName: name };
    } catch (error) {
      this.#failed(server, error, { server, addresses: [server] }, signal);
      return null;
    }
  }

  /** A new try, with a time of its own, in which the first also finds out the addresses. */
  #begin(): AbortSignal {
    const { proxy_connect_timeout, timeout } = this.#context.server.settings;
    this.#try = new AbortController();
    this.#context.deadline.set(Math.min(proxy_connect_timeout, timeout));
    this.doing = "connecting to upstream";
    return this.#try.signal;
  }

  /** @returns null where another address, or another server, is to be tried */
  async #pass(
    candidate: Candidate,
    account: Account,
    signal: AbortSignal,
  ): Promise<Outcome | null> {
    this.#tries++;
    const dialled = await this.#dial(candidate, signal);
    if (dialled === null) return null;
    const { connection, to } = dialled;
    const { health, settings } = this.#context.server;
    try {
      const { end, rest } = await this.#logIn(connection, candidate, account, signal);
      if (end.kind !== "unready") health.succeeded(to, settings, candidate.server);
      if (end.kind === "accepted") {
        return { kind: "loggedIn", upstream: connection, reply: end.reply, rest };
      }
      connection.close();
      const outcome = this.#refused(end, rest);
      if (end.kind !== "unready") return outcome;
      health.failed(to, settings, candidate, `upstream is not ready: "${end.reply.trimEnd()}"`);
      this.#last = outcome;
      return null;
    } catch (error) {
      connection.destroy();
      this.#failed(to, error, candidate, signal);
      return null;
    }
  }

  async #dial(candidate: Candidate, signal: AbortSignal): Promise<Dialled | null> {
    const { health } = this.#context.server;
    const { server, dialer, untried } = candidate;
    const addresses = [...untried];
    this.#context.story.connecting(addresses[0] ?? server);
    for (const address of addresses) health.trying(address);
    try {
      const dialled = await dialer.connect(addresses, signal, (to, error) => {
        untried.delete(to);
        this.#failed(to, error, candidate, signal);
      });
      untried.delete(dialled.to);
      this.#context.story.connected(dialled.to);
      return dialled;
    } catch {
      // Each address has been told of.
      return null;
    }
  }

  /** @throws Error where no answer comes */
  async #logIn(
    connection: Connection,
    { tls, tlsName }: Candidate,
    account: Account,
    signal: AbortSignal,
  ): Promise<LoggedIn> {
    const { settings, upstreamTls } = this.#context.server;
    const giveUp = (): void => connection.destroy();
    this.#introduce(connection);
    if (tls === "tls") {
      this.securing();
      await orGiveUp(connection.connectTls(upstreamTls, tlsName), signal, giveUp);
      this.doing = "connecting to upstream";
    }
    this.#context.deadline.set(settings.timeout);
    const input = new Input();
    const script = this.#context.dialogue.login(account, this.#context.client.facts, tls, input);
    const startTls = (): Promise<void> => connection.connectTls(upstreamTls, tlsName);
    const loggedIn = logIn(connection, input, script, this, startTls);
    return orGiveUp(loggedIn, signal, giveUp);
  }

  #introduce(connection: Connection): void {
    const { proxy_protocol } = this.#context.server.settings;
    if (proxy_protocol === "off") return;
    const { address, connection: client } = this.#context.client;
    this.doing = "sending PROXY protocol header to upstream";
    connection.write(formatProxyHeader(proxy_protocol, address, client.local, client.tls));
  }

  /** The authority said yes, so the upstream's no is not the client's doing: a temporary failure. */
  #refused(end: Exclude<LoginEnd, { kind: "accepted" }>, rest: Uint8Array): Outcome {
    if (end.kind === "impossible") {
      this.saying(end);
      this.#context.story.log("error", end.reason, this.doing);
      return this.#failure(end.reason);
    }
    const reply = end.reply + Buffer.from(rest).toString("latin1");
    const pass = this.#context.server.settings.proxy_pass_error_message;
    const message = `upstream sent invalid response: "${reply.trimEnd()}"`;
    this.#context.story.log(pass ? "info" : "error", message, this.doing);
    const why = "the upstream refused the login";
    return pass ? { kind: "failed", reply, why } : this.#failure(why);
  }

  /** A try has come to nothing: says so, and remembers it of the server, unless the fault was ours. */
  #failed(to: Address, error: unknown, upstream: Upstream, signal: AbortSignal): void {
    if (this.#cancelled) return;
    const { health, settings } = this.#context.server;
    const onTheWay = error instanceof OutboundProxyError;
    const why = whyFailed(error, signal);
    this.#context.story.connecting(to);
    if (why === TIMED_OUT) this.#context.story.log("info", `upstream ${why}`, this.doing);
    else this.#context.story.log("error", why, this.doing);
    if (!isOurs(error)) health.failed(to, settings, upstream, onTheWay ? null : why);
  }

  #failure(why: string): Outcome {
    return { kind: "failed", reply: this.#context.dialogue.unavailable(), why };
  }
}
