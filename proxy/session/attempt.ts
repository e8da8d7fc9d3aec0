/** One attempt to log in: the lookup, and the passage upstream. */
import type { ByteString } from "../../shared/lookup.ts";
import type { LogLevel } from "../config/index.ts";
import type { Answer } from "../lookup/index.ts";
import type { Credentials } from "../protocols/index.ts";
import { TIMED_OUT } from "../reason.ts";
import type { LoginContext } from "./login-context.ts";
import type { Outcome } from "./outcome.ts";
import { Passage } from "./passage.ts";
import { tooMany } from "./standing.ts";
import { ACTIONS } from "./story.ts";
import { whyFailed } from "./why.ts";

type Failure = Pick<Answer & { kind: "unavailable" }, "text" | "errorCode" | "why">;

/** Lookups that may answer WAIT, one after another (nginx asks for ever). */
const MOST_REPEATS = 10;

export class Attempt {
  readonly #context: LoginContext;
  readonly #controller = new AbortController();
  #cancelled = false;
  /** Once the lookup has said yes. */
  #passage: Passage | null = null;
  /** Set while a lookup that answered WAIT is to be repeated later. */
  #resume: (() => void) | null = null;

  constructor(context: LoginContext) {
    this.#context = context;
  }

  /** Ends in an outcome, whatever happens; soon after `expire` or `cancel`, in a failure. */
  async run(credentials: Credentials): Promise<Outcome> {
    const attempt = this.#context.story.attempted(loginOf(credentials));
    if (credentials.method === "external" && !this.#vouched()) return this.#unvouched();
    const limited = credentials.method === "none" ? null : await this.#mayLogIn();
    if (limited !== null) return limited;
    let answer = await this.#lookUp(credentials, attempt);
    for (let repeat = 0; answer.kind === "wait" && repeat < MOST_REPEATS; repeat++) {
      await this.#pause(Math.max(answer.wait, 1));
      answer = await this.#lookUp(credentials, attempt);
    }
    switch (answer.kind) {
      case "wait":
        return this.#unavailable({ text: null, errorCode: null, why: "sent WAIT too often" });
      case "route":
        return this.#pass(answer, credentials);
      case "refused":
        this.#context.story.log("info", `client login failed: "${answer.text}"`, ACTIONS.attempt);
        return {
          kind: "refused",
          reply: this.#context.dialogue.refused(answer.text, answer.errorCode),
          challenge: isBearer(credentials) ? answer.challenge : null,
          wait: answer.wait,
        };
      case "unavailable":
        return this.#unavailable(answer);
    }
  }

  /** Whether a name alone will do: nginx takes EXTERNAL from anybody, and leaves the rest to the lookup. */
  #vouched(): boolean {
    if (!this.#context.server.settings.auth_strict) return true;
    const { certificate = null, error = null } =
      this.#context.client.connection.tls?.verification ?? {};
    return certificate !== null && error === null;
  }

  #unvouched(): Outcome {
    const text = "client certificate required";
    this.#context.story.log("info", `client login failed: "${text}"`, ACTIONS.commands);
    return {
      kind: "refused",
      reply: this.#context.dialogue.refused(text, null),
      challenge: null,
      wait: 0,
    };
  }

  async #mayLogIn(): Promise<Outcome | null> {
    const limited = await this.#context.standing.logsIn(this.#context.client.address.host);
    return limited === null ? null : tooMany(limited, this.#context.dialogue);
  }

  #unavailable({ text, errorCode, why }: Failure): Outcome {
    this.#failed(
      "error",
      `auth http server ${this.#context.story.endpoint} ${why}`,
      ACTIONS.attempt,
    );
    return {
      kind: "failed",
      reply:
        text === null
          ? this.#context.dialogue.unavailable()
          : this.#context.dialogue.refused(text, errorCode),
      why: "the lookup could not be answered",
    };
  }

  /** @param seconds until the session's deadline calls `expire` */
  #pause(seconds: number): Promise<void> {
    this.#context.deadline.set(seconds * 1000);
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** The time for the current stage is over. */
  expire(): void {
    if (this.#passage !== null) this.#passage.expire();
    else if (this.#resume === null)
      this.#controller.abort(new DOMException(TIMED_OUT, "TimeoutError"));
    this.#continue();
  }

  /** Nobody waits for the outcome any more. */
  cancel(): void {
    this.#cancelled = true;
    this.#passage?.cancel();
    this.#controller.abort(new Error("cancelled"));
    this.#continue();
  }

  #continue(): void {
    this.#resume?.();
    this.#resume = null;
  }

  async #lookUp(credentials: Credentials, attempt: number): Promise<Answer> {
    this.#context.story.lookingUp();
    const answer = await this.#ask(credentials, attempt);
    if (!this.#cancelled) this.#context.story.lookedUp(answer);
    return answer;
  }

  async #ask(credentials: Credentials, attempt: number): Promise<Answer> {
    const { authority, protocol, settings } = this.#context.server;
    this.#context.deadline.set(settings.auth_http_timeout);
    try {
      return await authority.lookup(
        {
          trace: this.#context.client.trace,
          credentials,
          protocol: protocol.name,
          attempt,
          client: this.#context.client.address.host,
          clientHost: this.#context.client.host,
          proxied: this.#context.client.proxied,
          tls: this.#context.client.connection.tls,
        },
        this.#controller.signal,
      );
    } catch (error) {
      return {
        kind: "unavailable",
        text: null,
        errorCode: null,
        why: whyFailed(error, this.#controller.signal),
        reached: false,
      };
    }
  }

  async #pass(
    { route, remembered, ...given }: Answer & { kind: "route" },
    credentials: Credentials,
  ): Promise<Outcome> {
    const instead = remembered?.instead ?? null;
    if (instead !== null) {
      const message = `auth http server ${this.#context.story.endpoint} ${instead}, an earlier answer is used`;
      this.#context.story.log("warn", message, ACTIONS.attempt);
    }
    const password = given.password ?? secretOf(credentials);
    const login = given.login ?? loginOf(credentials);
    if (password === null && this.#context.dialogue.passwordRequired) {
      return this.#unavailable({ text: null, errorCode: null, why: "did not send password" });
    }
    this.#context.story.passing(login);
    const limited = await this.#context.standing.is(login);
    if (limited !== null) return tooMany(limited, this.#context.dialogue);
    this.#passage = new Passage(this.#context);
    if (this.#cancelled) this.#passage.cancel();
    const bearer = given.password === null && isBearer(credentials) ? credentials.method : null;
    return this.#passage.run(route, { login, password, bearer });
  }

  #failed(level: LogLevel, message: string, doing: string): void {
    if (!this.#cancelled) this.#context.story.log(level, message, doing);
  }
}

/** What an upstream may take for a password; a token is one to servers that ask an OAuth provider themselves. */
function secretOf(credentials: Credentials): ByteString | null {
  if (isBearer(credentials)) return credentials.token;
  return credentials.method === "plain" ? credentials.password : null;
}

function isBearer(
  credentials: Credentials,
): credentials is Extract<Credentials, { token: ByteString }> {
  return "token" in credentials;
}

function loginOf(credentials: Credentials): ByteString {
  return "login" in credentials ? credentials.login : "";
}
