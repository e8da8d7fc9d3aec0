/** One attempt to log in: the lookup, the way upstream, the login there. */
import type { ByteString } from "../../shared/lookup.ts";
import type { Answer } from "../lookup/index.ts";
import type { Account, Credentials, Dialogue, LoginEnd } from "../protocols/index.ts";
import { type Address, type Connection, type Deadline, orGiveUp } from "../transport/index.ts";
import type { Server } from "./server.ts";
import type { Story } from "./story.ts";
import { type LoggedIn, logIn } from "./upstream-login.ts";

export type Outcome =
  | {
      readonly kind: "loggedIn";
      readonly upstream: Connection;
      /** For the client, and what the upstream sent behind it. */
      readonly reply: ByteString;
      readonly rest: Uint8Array;
    }
  /** @property wait seconds before the client hears of it and may try again; 0 for never */
  | { readonly kind: "refused"; readonly reply: ByteString; readonly wait: number }
  | { readonly kind: "failed"; readonly reply: ByteString; readonly why: string };

export class Attempt {
  readonly #server: Server;
  readonly #client: Connection;
  readonly #dialogue: Dialogue;
  readonly #story: Story;
  readonly #deadline: Deadline;
  readonly #controller = new AbortController();
  #cancelled = false;

  /** @param deadline the session's: set for each stage; when it fires the session calls `expire` */
  constructor(
    server: Server,
    client: Connection,
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
    this.#deadline.set(this.#server.settings.auth_http_timeout);
    const answer = await this.#lookUp(credentials);
    switch (answer.kind) {
      case "route":
        return this.#connect(answer.upstream, {
          login: answer.login ?? credentials.login,
          password: answer.password ?? credentials.password,
        });
      case "refused":
        this.#story.log("info", `client login failed: "${answer.text}"`, "lookup");
        return {
          kind: "refused",
          reply: this.#dialogue.refused(answer.text, answer.errorCode),
          wait: answer.wait,
        };
      case "unavailable":
        this.#story.log(
          "error",
          `auth http server ${this.#story.endpoint} ${answer.why}`,
          "lookup",
        );
        return {
          kind: "failed",
          reply:
            answer.text === null
              ? this.#dialogue.unavailable()
              : this.#dialogue.refused(answer.text, answer.errorCode),
          why: "the lookup could not be answered",
        };
    }
  }

  /** The time for the current stage is over. */
  expire(): void {
    this.#controller.abort(new Error("timed out"));
  }

  /** Nobody waits for the outcome any more. */
  cancel(): void {
    this.#cancelled = true;
    this.#controller.abort(new Error("cancelled"));
  }

  async #lookUp({ method, login, password }: Credentials): Promise<Answer> {
    const { authority, protocol } = this.#server;
    const attempt = this.#story.attempted(login);
    const { remote, tls } = this.#client;
    try {
      return await authority.lookup(
        { method, login, password, protocol: protocol.name, attempt, client: remote.host, tls },
        this.#controller.signal,
      );
    } catch (error) {
      return { kind: "unavailable", text: null, errorCode: null, why: this.#reason(error) };
    } finally {
      this.#story.lookedUp();
    }
  }

  async #connect(to: Address, account: Account): Promise<Outcome> {
    this.#deadline.set(this.#server.settings.timeout);
    this.#story.connecting(to, account.login);
    try {
      const { upstream, end, rest } = await this.#reach(to, account);
      if (end.kind === "accepted") return { kind: "loggedIn", upstream, reply: end.reply, rest };
      upstream.close();
      return this.#refusedUpstream(end);
    } catch (error) {
      this.#failed(`upstream ${this.#reason(error)}`, "upstream");
      return {
        kind: "failed",
        reply: this.#dialogue.unavailable(),
        why: "the upstream could not be reached",
      };
    }
  }

  /** @throws Error where no connection or no answer comes about, with the connection closed */
  async #reach(to: Address, account: Account): Promise<LoggedIn & { upstream: Connection }> {
    const { signal } = this.#controller;
    const upstream = await this.#server.dialer.connect(to, signal);
    const script = this.#dialogue.login(account, { address: this.#client.remote.host });
    try {
      const loggedIn = orGiveUp(logIn(upstream, script), signal, () => upstream.destroy());
      return { upstream, ...(await loggedIn) };
    } catch (error) {
      upstream.destroy();
      throw error;
    }
  }

  /** The authority said yes, so the upstream's no is not the client's doing: a temporary failure. */
  #refusedUpstream({ reply }: LoginEnd & { kind: "refused" }): Outcome {
    const pass = this.#server.settings.proxy_pass_error_message;
    const message = `upstream sent invalid response: "${reply.trimEnd()}"`;
    this.#story.log(pass ? "info" : "error", message, "upstream");
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

  #failed(message: string, stage: "lookup" | "upstream"): void {
    if (!this.#cancelled) this.#story.log("error", message, stage);
  }
}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
