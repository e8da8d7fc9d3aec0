/** POP3 before the login, as nginx speaks it. */
import type { ByteString, TlsMode } from "../../../shared/lookup.ts";
import { type Input, type Script, chomp } from "../../transport/index.ts";
import { xclientHops } from "../client-id.ts";
import { CommandHandler } from "../command-handler.ts";
import { argumentOf, verbOf, wordsOf } from "../command-line.ts";
import { POP3_LINE, SASL_LINE } from "../limits.ts";
import type { Account, ClientInfo, Limit, LoginEnd, ProtocolHandler, Step } from "../protocol.ts";
import { ReplyReader } from "../reply-reader.ts";
import { credentials, isClean } from "../sasl.ts";
import { isContinued, login } from "./login.ts";
import type { Pop3Configuration, Pop3Policy } from "./policy.ts";

const OK = "+OK\r\n";
const INVALID = "-ERR invalid command\r\n";
const MAX_ARGUMENTS = 3;

const COMMAND_NAME = /^(USER|PASS|APOP|AUTH|CAPA|STLS|NOOP|QUIT)\b/i;

/** AUTH may carry a SASL response, and so be longer than other commands. */
const AUTH = /^AUTH /i;

export class Pop3Handler extends CommandHandler<Pop3Policy> implements ProtocolHandler {
  readonly passwordRequired = true;
  readonly #configuration: Pop3Configuration;
  /** The argument of USER, until PASS or another command comes. */
  #user: ByteString | null = null;

  constructor(configuration: Pop3Configuration, secure: boolean) {
    super(configuration, secure);
    this.#configuration = configuration;
  }

  protected get continuation() {
    return "+ " as const;
  }

  protected get commandName(): RegExp {
    return COMMAND_NAME;
  }

  protected get maxResponseWords(): number {
    return 3;
  }

  greeting(): ByteString {
    const { greeting, saltInGreeting } = this.#configuration;
    return saltInGreeting ? `${greeting} ${this.salt}\r\n` : `${greeting}\r\n`;
  }

  refused(text: ByteString): ByteString {
    return `-ERR ${text}\r\n`;
  }

  unavailable(): ByteString {
    return "-ERR [SYS/TEMP] internal server error\r\n";
  }

  /** RFC 2449 section 8.1. */
  limited(limit: Limit): ByteString {
    const code = limit === "logins" ? "LOGIN-DELAY" : "IN-USE";
    return `-ERR [${code}] too many ${limit}, try again later\r\n`;
  }

  timedOut(): ByteString {
    return "-ERR timed out\r\n";
  }

  shuttingDown(): ByteString {
    return "-ERR [SYS/TEMP] server shutting down, please reconnect\r\n";
  }

  certificateRefused(text: string): ByteString {
    return `-ERR ${text}\r\n`;
  }

  login(account: Account, client: ClientInfo, tls: TlsMode, input: Input): Script<LoginEnd> {
    const replies = new ReplyReader(input, this.settings.proxy_buffer, isContinued);
    return login(replies, account, client, this.loginOptions(tls));
  }

  override secured(): void {
    super.secured();
    this.#user = null;
  }

  protected invalid(): ByteString {
    return INVALID;
  }

  protected cancelled(): ByteString {
    return "-ERR authentication cancelled\r\n";
  }

  protected command(input: Input): Step | null {
    const isAuth = input.length >= POP3_LINE && AUTH.test(input.peek(5));
    const line = input.line(isAuth ? SASL_LINE : POP3_LINE);
    if (line === null) return null;
    const text = chomp(line) ?? "";
    const user = this.#user;
    this.#user = null;
    return user === null
      ? this.#start(verbOf(text), argumentOf(text), line)
      : this.#afterUser(verbOf(text), argumentOf(text), user, line);
  }

  #start(verb: string, argument: ByteString, line: ByteString): Step {
    switch (verb) {
      case "USER":
        if (!this.policy.passwordsAllowed || argument === "") return this.refuse();
        this.#user = argument;
        return this.reply(OK);
      case "PASS":
        return this.refuse();
      case "XCLIENT":
        return this.settings.proxy_client_id
          ? this.#xclient(wordsOf(argument))
          : this.parserError(line);
      default:
        return this.#withWords(verb, wordsOf(argument), line);
    }
  }

  /** Answers a command whose argument is a list of words. */
  #withWords(verb: string, words: readonly ByteString[], line: ByteString): Step {
    if (words.length > MAX_ARGUMENTS) return this.parserError(line);
    switch (verb) {
      case "AUTH":
        if (this.policy.starttlsRequired) return this.refuse();
        return words.length === 0 ? this.reply(this.policy.methods) : this.authenticate(words);
      case "STLS":
        return this.policy.starttlsAvailable ? { kind: "starttls", text: OK } : this.refuse();
      case "APOP":
        return this.policy.starttlsRequired ? this.refuse() : this.#apop(words);
      case "CAPA":
        return this.reply(this.policy.capabilities);
      case "NOOP":
        return this.reply(OK);
      case "QUIT":
        return { kind: "farewell", text: OK };
      default:
        return this.parserError(line);
    }
  }

  #xclient(attributes: readonly ByteString[]): Step {
    this.limitHops(xclientHops(attributes));
    return this.reply(OK);
  }

  #apop([user, digest, ...more]: readonly ByteString[]): Step {
    if (user === undefined || digest === undefined || more.length > 0) return this.refuse();
    if (!this.#configuration.apop || !isClean(user) || !isClean(digest)) return this.refuse();
    return {
      kind: "login",
      credentials: { method: "apop", login: user, digest, salt: this.salt },
    };
  }

  #afterUser(verb: string, argument: ByteString, user: ByteString, line: ByteString): Step {
    if (verb === "PASS") {
      const given = argument === "" ? null : credentials(user, argument);
      return given === null ? this.refuse() : { kind: "login", credentials: given };
    }
    if (verb === "USER") return this.refuse();
    if (wordsOf(argument).length > MAX_ARGUMENTS) return this.parserError(line);
    switch (verb) {
      case "AUTH":
      case "APOP":
      case "STLS":
        return this.refuse();
      case "CAPA":
        this.#user = user;
        return this.reply(this.policy.capabilitiesAfterUser);
      case "NOOP":
        this.#user = user;
        return this.reply(OK);
      case "QUIT":
        return { kind: "farewell", text: OK };
      default:
        return this.parserError(line);
    }
  }
}
