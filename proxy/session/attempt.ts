/** One attempt to log in: the lookup, the way upstream, the login there. */
import type { ByteString } from "../../shared/lookup.ts";
import type { Answer } from "../lookup/index.ts";
import type { LogLevel } from "../config/index.ts";
import type { Account, Credentials, Dialogue, LoginEnd, Saying } from "../protocols/index.ts";
import { TIMED_OUT, reason } from "../reason.ts";
import { type Address, type Connection, type Deadline, orGiveUp } from "../transport/index.ts";
import { formatProxyHeader } from "../upstream/index.ts";
import type { Client } from "./client.ts";
import type { Server } from "./server.ts";
import { ACTIONS, type Story } from "./story.ts";
import { type LoggedIn, type LoginProgress, logIn } from "./upstream-login.ts";

export type Outcome =
  | {
      readonly kind: "loggedIn";
      readonly upstream: Connection;
      /** For the client, and what the upstream sent behind it. */
      readonly reply: ByteString;
      readonly rest: Uint8Array;
    }
  | {
      readonly kind: "refused";
      readonly reply: ByteString;
      /** What an OAuth client is to hear before the reply, in base64; null for nothing. */
      readonly challenge: string | null;
      /** Seconds before the client hears of it and may try again; 0 for never. */
      readonly wait: number;
    }
  | { readonly kind: "failed"; readonly reply: ByteString; readonly why: string };

/** Lookups that may answer WAIT, one after another (nginx asks for ever). */
const MOST_REPEATS = 10;

class TimedOut extends Error {
  override message = TIMED_OUT;
}

export class Attempt implements LoginProgress {
  readonly #server: Server;
  readonly #client: Client;
  readonly #dialogue: Dialogue;
  readonly #story: Story;
  readonly #deadline: Deadline;
  readonly #controller = new AbortController();
  #cancelled = false;
  /** What is being done upstream, in nginx's words. */
  #doing = "";
  /** Set while a lookup that answered WAIT is to be repeated later. */
  #resume: (() => void) | null = null;

  /** @param deadline the session's: set for each stage; when it fires the session calls `expire` */
  constructor(
    server: Server,
    client: Client,
    dialogue: Dialogue,
    story: Story,
    deadline: Deadline,
  ) {
    this.#server = server;
    this.#client = client;
    this.#dialogue = dialogue;
    this.#story = story;
    this.#deadline = deadline;
  }

  /** Ends in an outcome, whatever happens; soon after `expire` or `cancel`, in a failure. */
  async run(credentials: Credentials): Promise<Outcome> {
    const attempt = this.#story.attempted(loginOf(credentials));
    if (credentials.method === "external" && !this.#vouched()) return this.#unvouched();
    let answer = await this.#lookUp(credentials, attempt);
    for (let repeat = 0; answer.kind === "wait" && repeat < MOST_REPEATS; repeat++) {
      await this.#pause(Math.max(answer.wait, 1));
      answer = await this.#lookUp(credentials, attempt);
    }
    switch (answer.kind) {
      case "wait":
        return this.#unavailable({ text: null, errorCode: null, why: "sent WAIT too often" });
      case "route":
        return this.#route(answer, credentials);
      case "refused":
        this.#story.log("info", `client login failed: "${answer.text}"`, ACTIONS.attempt);
        return {
          kind: "refused",
          reply: this.#dialogue.refused(answer.text, answer.errorCode),
          challenge: isBearer(credentials) ? answer.challenge : null,
          wait: answer.wait,
        };
      case "unavailable":
        return this.#unavailable(answer);
    }
  }

  /** Whether a name alone will do: nginx takes EXTERNAL from anybody, and leaves the rest to the lookup. */
  #vouched(): boolean {
    if (!this.#server.settings.auth_strict) return true;
    const { certificate = null, error = null } = this.#client.connection.tls?.verification ?? {};
    return certificate !== null && error === null;
  }

  #unvouched(): Outcome {
    const text = "client certificate required";
    this.#story.log("info", `client login failed: "${text}"`, ACTIONS.commands);
    return { kind: "refused", reply: this.#dialogue.refused(text, null), challenge: null, wait: 0 };
  }

  #unavailable({ text, errorCode, why }: Omit<Answer & { kind: "unavailable" }, "kind">): Outcome {
    this.#failed("error", `auth http server ${this.#story.endpoint} ${why}`, ACTIONS.attempt);
    return {
      kind: "failed",
      reply: text === null ? this.#dialogue.unavailable() : this.#dialogue.refused(text, errorCode),
      why: "the lookup could not be answered",
    };
  }

  /** @param seconds until the session's deadline calls `expire` */
  #pause(seconds: number): Promise<void> {
    this.#deadline.set(seconds * 1000);
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** The time for the current stage is over. */
  expire(): void {
    if (this.#resume === null) this.#controller.abort(new TimedOut());
    this.#continue();
  }

  /** Nobody waits for the outcome any more. */
  cancel(): void {
    this.#cancelled = true;
    this.#controller.abort(new Error("cancelled"));
    this.#continue();
  }

  #continue(): void {
    this.#resume?.();
    this.#resume = null;
  }

  async #lookUp(credentials: Credentials, attempt: number): Promise<Answer> {
    const { authority, protocol, settings } = this.#server;
    this.#deadline.set(settings.auth_http_timeout);
    try {
      return await authority.lookup(
        {
          credentials,
          protocol: protocol.name,
          attempt,
          client: this.#client.address.host,
          clientHost: this.#client.host,
          proxied: this.#client.proxied,
          tls: this.#client.connection.tls,
        },
        this.#controller.signal,
      );
    } catch (error) {
      return { kind: "unavailable", text: null, errorCode: null, why: this.#reason(error) };
    } finally {
      this.#story.lookedUp();
    }
  }

  #route(route: Answer & { kind: "route" }, credentials: Credentials): Promise<Outcome> | Outcome {
    const password = route.password ?? secretOf(credentials);
    const login = route.login ?? loginOf(credentials);
    if (password !== null || !this.#dialogue.passwordRequired) {
      return this.#connect(route.upstream, { login, password });
    }
    return this.#unavailable({ text: null, errorCode: null, why: "did not send password" });
  }

  async #connect(to: Address, account: Account): Promise<Outcome> {
    this.#deadline.set(this.#server.settings.timeout);
    this.#story.connecting(to, account.login);
    this.#doing = "connecting to upstream";
    try {
      const { upstream, end, rest } = await this.#reach(to, account);
      if (end.kind === "accepted") return { kind: "loggedIn", upstream, reply: end.reply, rest };
      upstream.close();
      return this.#refusedUpstream(end, rest);
    } catch (error) {
      const why = this.#reason(error);
      if (why === TIMED_OUT) this.#failed("info", `upstream ${why}`, this.#doing);
      else this.#failed("error", why, this.#doing);
      return {
        kind: "failed",
        reply: this.#dialogue.unavailable(),
        why: "the upstream could not be reached",
      };
    }
  }

  saying({ name, note }: Omit<Saying, "text">): void {
    this.#doing = `sending ${name} to upstream`;
    if (note !== undefined) this.#story.log("info", note, this.#doing);
  }

  heard(): void {
    this.#doing = "reading response from upstream";
  }

  /** @throws Error where no connection or no answer comes about, with the connection closed */
  async #reach(to: Address, account: Account): Promise<LoggedIn & { upstream: Connection }> {
    const { signal } = this.#controller;
    const upstream = await this.#server.dialer.connect(to, signal);
    const { proxy_protocol, proxy_buffer } = this.#server.settings;
    if (proxy_protocol !== "off") {
      const { address, connection } = this.#client;
      this.#doing = "sending PROXY protocol header to upstream";
      const { local, tls } = connection;
      upstream.write(formatProxyHeader(proxy_protocol, address, local, tls));
    }
    const { address, host } = this.#client;
    const script = this.#dialogue.login(account, { address: address.host, host });
    try {
      const loggedIn = logIn(upstream, script, proxy_buffer, this);
      return { upstream, ...(await orGiveUp(loggedIn, signal, () => upstream.destroy())) };
    } catch (error) {
      upstream.destroy();
      throw error;
    }
  }

  /** The authority said yes, so the upstream's no is not the client's doing: a temporary failure. */
  #refusedUpstream(end: Exclude<LoginEnd, { kind: "accepted" }>, rest: Uint8Array): Outcome {
    if (end.kind === "impossible") {
      this.saying(end);
      this.#story.log("error", end.why, this.#doing);
      return { kind: "failed", reply: this.#dialogue.unavailable(), why: end.why };
    }
    const reply = end.reply + Buffer.from(rest).toString("latin1");
    const pass = this.#server.settings.proxy_pass_error_message;
    const message = `upstream sent invalid response: "${reply.trimEnd()}"`;
    this.#story.log(pass ? "info" : "error", message, this.#doing);
    return {
      kind: "failed",
      reply: pass ? reply : this.#dialogue.unavailable(),
      why: "the upstream refused the login",
    };
  }

  /** What gave up knows better why than what was given up. */
  #reason(error: unknown): string {
    const { signal } = this.#controller;
    return reason(signal.aborted ? signal.reason : error);
  }

  #failed(level: LogLevel, message: string, doing: string): void {
    if (!this.#cancelled) this.#story.log(level, message, doing);
  }
}

/** What an upstream may take for a password; a token is one to servers that ask an OAuth provider themselves. */
function secretOf(credentials: Credentials): ByteString | null {
  if (isBearer(credentials)) return credentials.token;
  return credentials.method === "plain" ? credentials.password : null;
}

function isBearer(credentials: Credentials): credentials is Credentials & { token: ByteString } {
  return "token" in credentials;
}

function loginOf(credentials: Credentials): ByteString {
  return "login" in credentials ? credentials.login : "";
}
