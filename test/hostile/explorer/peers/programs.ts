/** The commands of simulated clients, in the words of each protocol. */
import type { ProtocolName } from "../../../../shared/lookup.ts";
import type { Choices } from "../choices.ts";
import type { Scenario } from "../scenario.ts";
import { type Attempt, base64 } from "./attempt.ts";

/** One step of a client. */
export interface Saying {
  readonly text: string;
  /** True where the client waits for a reply to what it said before. */
  readonly waits: boolean;
  /** Set where the text completes an attempt to log in. */
  readonly attempt: Attempt | null;
  /** True where a TLS handshake follows. */
  readonly secures: boolean;
}

/** Bytes of a client that is logged in; no other bytes have this character. */
const RELAYED = "^";

const STARTTLS: Readonly<Record<ProtocolName, string>> = {
  imap: "t STARTTLS",
  pop3: "STLS",
  smtp: "STARTTLS",
};

const HARMLESS: Readonly<Record<ProtocolName, readonly [string, ...string[]]>> = {
  imap: [
    "n NOOP",
    "c CAPABILITY",
    "nonsense",
    'i ID ("x-proxy-ttl" "2")',
    "a AUTHENTICATE PLAIN\r\n*",
  ],
  pop3: ["NOOP", "CAPA", "nonsense", "USER someone", "AUTH PLAIN\r\n*"],
  smtp: ["EHLO client.test", "NOOP", "HELO client.test", "nonsense", "AUTH LOGIN\r\n*"],
};

const FAREWELL: Readonly<Record<ProtocolName, string>> = {
  imap: "q LOGOUT",
  pop3: "QUIT",
  smtp: "QUIT",
};

export class ProgramWriter {
  readonly #choices: Choices;
  readonly #scenario: Scenario;
  readonly #newAttempt: (method: Attempt["method"]) => Attempt;
  readonly #sayings: Saying[] = [];
  /** True once the client has mail for a recipient without a login. */
  #mails = false;

  constructor(
    choices: Choices,
    scenario: Scenario,
    newAttempt: (method: Attempt["method"]) => Attempt,
  ) {
    this.#choices = choices;
    this.#scenario = scenario;
    this.#newAttempt = newAttempt;
  }

  /** A client's whole part, up to the bytes of a session that is logged in. */
  write(): readonly Saying[] {
    const { listen, settings } = this.#scenario;
    const choices = this.#choices;
    if (listen.proxyProtocol && !choices.oneIn(8)) {
      this.#say("PROXY TCP4 192.0.2.7 192.0.2.1 5000 143\r\n", null, listen.ssl);
    } else if (listen.ssl) this.#say("", null, true);
    if (this.#protocol === "smtp" && choices.below(3) !== 0) this.#line("EHLO client.test");
    if (settings.starttls !== "off" && choices.below(4) !== 0) {
      this.#say(`${STARTTLS[this.#protocol]}\r\n`, null, true);
      // Some clients say in the clear what belongs behind the handshake.
      if (choices.oneIn(4)) this.#swapLast();
    }
    for (let attempts = 1 + choices.below(3); attempts > 0; attempts--) {
      if (choices.oneIn(3)) this.#line(choices.pick(HARMLESS[this.#protocol]));
      this.#logIn();
    }
    for (let chunks = choices.below(4); chunks > 0; chunks--) {
      this.#say(`${RELAYED}${chunks}${RELAYED}`.repeat(choices.oneIn(6) ? 9 : 1), null, false);
    }
    if (choices.oneIn(4)) this.#line(FAREWELL[this.#protocol]);
    return this.#sayings;
  }

  get #protocol(): ProtocolName {
    return this.#scenario.protocol.name;
  }

  #say(text: string, attempt: Attempt | null, secures: boolean): void {
    this.#sayings.push({ text, waits: this.#choices.below(4) !== 3, attempt, secures });
  }

  #line(text: string, attempt: Attempt | null = null): void {
    this.#say(`${text}\r\n`, attempt, false);
  }

  /** Puts a login between the command for TLS and the handshake. */
  #swapLast(): void {
    const last = this.#sayings.pop();
    if (last === undefined) return;
    this.#sayings.push({ ...last, secures: false });
    this.#logIn();
    this.#say("", null, true);
  }

  #logIn(): void {
    const mails = this.#protocol === "smtp" && !this.#mails && this.#choices.oneIn(6);
    this.#mails ||= mails;
    const method = mails
      ? "none"
      : this.#choices.pick(["plain", "plain", "plain", "cram-md5", "xoauth2"]);
    const attempt = this.#newAttempt(method);
    const { login, secret } = attempt;
    switch (method) {
      case "none":
        this.#line("MAIL FROM:<a@client.test>");
        this.#line("RCPT TO:<b@here.test>", attempt);
        break;
      case "plain":
        this.#plain(attempt);
        break;
      case "cram-md5":
        this.#line(this.#authCommand("CRAM-MD5"));
        this.#line(base64(`${login} ${secret}`), attempt);
        break;
      case "xoauth2": {
        const message = base64(`user=${login}\u0001auth=Bearer ${secret}\u0001\u0001`);
        this.#line(`${this.#authCommand("XOAUTH2")} ${message}`, attempt);
        // The answer to the challenge that tells why.
        if (this.#choices.oneIn(2)) this.#line("");
        break;
      }
    }
  }

  #authCommand(mechanism: string): string {
    return `${this.#protocol === "imap" ? "a AUTHENTICATE" : "AUTH"} ${mechanism}`;
  }

  #plain(attempt: Attempt): void {
    const { login, secret } = attempt;
    const message = base64(`\0${login}\0${secret}`);
    const form = this.#choices.below(this.#protocol === "smtp" ? 3 : 5);
    switch (form) {
      case 0:
        this.#line(`${this.#authCommand("PLAIN")} ${message}`, attempt);
        return;
      case 1:
        this.#line(this.#authCommand("PLAIN"));
        this.#line(message, attempt);
        return;
      case 2:
        this.#line(this.#authCommand("LOGIN"));
        this.#line(base64(login));
        this.#line(base64(secret), attempt);
        return;
      default:
        if (this.#protocol === "pop3") {
          this.#line(`USER ${login}`);
          this.#line(`PASS ${secret}`, attempt);
        } else if (form === 3) this.#line(`a LOGIN ${login} "${secret}"`, attempt);
        else {
          this.#line(`a LOGIN {${login.length}}`);
          this.#line(`${login} {${secret.length}+}\r\n${secret}`, attempt);
        }
    }
  }
}
