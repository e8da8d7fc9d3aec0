/** One attempt to log in: the limits on logins, then the lookup. */
import { formatAddress } from "../../../shared/address.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import type { Denial } from "../../limits/index.ts";
import {
  type Accepted,
  type LookupReceiver,
  type LookupReply,
  type PendingLookup,
  unavailable,
} from "../../lookup/index.ts";
import type { Account, Credentials, ProtocolHandler } from "../../protocols/index.ts";
import { TIMED_OUT } from "../../reason.ts";
import { ENDS, STEPS } from "../phase-table.ts";
import { ConnectPhase } from "./connect.ts";
import { Phase, type SessionContext } from "./phase.ts";
import { quoted } from "../../quoted.ts";

export interface RefusedLogin {
  readonly reply: ByteString;
  /** The failure for an OAuth client, before the reply, in base64; null for none. */
  readonly challenge: string | null;
  /** Seconds before the client hears of the refusal and may try again; 0 for no other attempt. */
  readonly wait: number;
}

/** The phase that a refused client returns to. */
export interface LoginRetry {
  loginRefused(refused: RefusedLogin): void;
}

/** Lookups that may answer WAIT, one after another (nginx repeats without end). */
const MOST_REPEATS = 10;

export class AuthenticatePhase extends Phase implements LookupReceiver {
  readonly step = "authenticate";
  readonly handler: ProtocolHandler;
  readonly #retry: LoginRetry;
  readonly #credentials: Credentials;
  /** Null while no lookup is under way. */
  #pending: PendingLookup | null = null;
  #repeats = 0;
  /** True while a lookup that answered WAIT is to be repeated later. */
  #waiting = false;

  constructor(
    session: SessionContext,
    handler: ProtocolHandler,
    retry: LoginRetry,
    credentials: Credentials,
  ) {
    super(session);
    this.handler = handler;
    this.#retry = retry;
    this.#credentials = credentials;
  }

  begin(): void {
    const { client, telemetry, limits } = this.session;
    const { method } = this.#credentials;
    client.attempted(loginOf(this.#credentials));
    telemetry.attempted();
    if (method === "external" && !this.#hasCertificate()) {
      this.#rejectExternal();
      return;
    }
    const verdict = method === "none" ? null : (limits?.onLogin(client.address.host) ?? null);
    if (!(verdict instanceof Promise)) this.#admitted(verdict);
    else this.session.resumeWithVerdict(verdict, (denial) => this.#admitted(denial));
  }

  /** nginx takes EXTERNAL from any client and leaves the check to the lookup; `auth_strict` wants a certificate. */
  #hasCertificate(): boolean {
    if (!this.session.server.settings.auth_strict) return true;
    const verification = this.session.client.connection.tls?.verification ?? null;
    return (
      verification !== null && verification.certificate !== null && verification.error === null
    );
  }

  #rejectExternal(): void {
    const text = "client certificate required";
    this.session.telemetry.log(
      "info",
      `client login failed: ${quoted(text)}`,
      STEPS.commands.doing,
    );
    this.#refuse(this.handler.refused(text, null), null, 0);
  }

  #admitted(denial: Denial | null): void {
    if (denial === null) this.#lookUp();
    else this.#limited(denial);
  }

  #lookUp(): void {
    const { server, client, telemetry, deadline } = this.session;
    telemetry.lookupStarted();
    deadline.set(server.settings.auth_http_timeout);
    this.#waiting = false;
    this.#pending = server.lookup.lookup(
      {
        trace: client.trace,
        credentials: this.#credentials,
        protocol: server.protocol.name,
        attempt: client.attempts,
        client: client.address.host,
        clientHost: client.host,
        proxied: client.proxied,
        tls: client.connection.tls,
      },
      this,
    );
  }

  answered(reply: LookupReply): void {
    try {
      this.#answered(reply);
    } catch (error) {
      // A shared lookup still has other sessions to answer.
      this.session.fault(error);
    }
  }

  #answered(reply: LookupReply): void {
    this.#pending = null;
    this.session.telemetry.lookupDone(reply);
    switch (reply.kind) {
      case "wait":
        this.#repeatLater(reply.wait);
        break;
      case "route":
        this.#route(reply);
        break;
      case "refused": {
        const { text, errorCode, challenge, wait } = reply;
        this.session.telemetry.log("info", `client login failed: ${quoted(text)}`, this.doing);
        const toldWhy = "token" in this.#credentials ? challenge : null;
        this.#refuse(this.handler.refused(text, errorCode), toldWhy, wait);
        break;
      }
      case "unavailable":
        this.#unavailable(reply.why, reply.text, reply.errorCode);
        break;
    }
  }

  #repeatLater(seconds: number): void {
    if (this.#repeats++ === MOST_REPEATS) {
      this.#unavailable("sent WAIT too often");
      return;
    }
    this.#waiting = true;
    this.session.deadline.set(Math.max(seconds, 1) * 1000);
  }

  expired(): void {
    if (this.#waiting) {
      this.#lookUp();
      return;
    }
    this.answered(this.#pending?.timedOut() ?? unavailable(TIMED_OUT, true));
  }

  #route({ route, login, password, user, remembered }: Accepted): void {
    const { client, telemetry, limits } = this.session;
    const instead = remembered?.instead ?? null;
    if (instead !== null) {
      const message = `auth http server ${this.#endpoint} ${instead}, an earlier answer is used`;
      telemetry.log("warn", message, this.doing);
    }
    const secret = password ?? secretOf(this.#credentials);
    if (secret === null && this.handler.passwordRequired) {
      this.#unavailable("did not send password");
      return;
    }
    client.login = login ?? client.typedLogin ?? "";
    // A mail for the user is no login of the user.
    client.user = this.#credentials.method === "none" ? null : user;
    telemetry.routed();
    const account: Account = {
      login: client.login,
      password: secret,
      bearer: password === null ? bearerOf(this.#credentials) : null,
    };
    const connect = (denial: Denial | null): void => {
      if (denial !== null) this.#limited(denial);
      else this.session.enter(new ConnectPhase(this.session, this.handler, route, account));
    };
    const verdict = limits?.onUser(client.login) ?? null;
    if (!(verdict instanceof Promise)) connect(verdict);
    else this.session.resumeWithVerdict(verdict, connect);
  }

  #refuse(reply: ByteString, challenge: string | null, wait: number): void {
    this.session.telemetry.decided("refused");
    this.#retry.loginRefused({ reply, challenge, wait });
  }

  #limited(denial: Denial): void {
    const limit = denial.claim.kind === "login" ? "logins" : "connections";
    this.session.telemetry.limited(denial);
    this.session.telemetry.decided("limited");
    this.session.end(denial.note, this.handler.limited(limit));
  }

  /** A failure that must not be taken for a wrong password. @param text the endpoint's words for the client */
  #unavailable(why: string, text: ByteString | null = null, errorCode: string | null = null): void {
    const { telemetry } = this.session;
    telemetry.log("error", `auth http server ${this.#endpoint} ${why}`, this.doing);
    telemetry.decided("unavailable");
    this.session.end(
      "the lookup could not be answered",
      text === null ? this.handler.unavailable() : this.handler.undecided(text, errorCode),
    );
  }

  get #endpoint(): string {
    return formatAddress(this.session.server.settings.auth_http);
  }

  override cancel(): void {
    this.#pending?.cancel();
  }

  override get kickable(): boolean {
    return true;
  }

  override kick(): void {
    this.session.end(ENDS.kicked, this.handler.unavailable());
  }
}

/** The password that an upstream is sent; servers that ask an OAuth provider themselves take a token for one. */
function secretOf(credentials: Credentials): ByteString | null {
  if ("token" in credentials) return credentials.token;
  return credentials.method === "plain" ? credentials.password : null;
}

function bearerOf(credentials: Credentials): Account["bearer"] {
  return "token" in credentials ? credentials.method : null;
}

function loginOf(credentials: Credentials): ByteString {
  return "login" in credentials ? credentials.login : "";
}
