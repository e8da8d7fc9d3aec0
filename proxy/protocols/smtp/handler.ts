/** SMTP submission before the login (RFC 5321, RFC 4954), as nginx speaks it. */
import type { ByteString, TlsMode } from "../../../shared/lookup.ts";
import { type Input, type Script, chomp, trimSpaces } from "../../transport/index.ts";
import { xclientHops } from "../client-id.ts";
import { CommandHandler } from "../command-handler.ts";
import { argumentOf, verbOf, wordsOf } from "../command-line.ts";
import type {
  Account,
  ClientInfo,
  Farewell,
  Limit,
  LoginEnd,
  ProtocolHandler,
  Step,
} from "../protocol.ts";
import { ReplyReader } from "../reply-reader.ts";
import { isClean } from "../sasl.ts";
import { isContinued, login } from "./login.ts";
import type { SmtpConfiguration, SmtpPolicy } from "./policy.ts";
import type { Hello } from "./xclient.ts";
import { quoted } from "../../quoted.ts";

const OK = "250 2.0.0 OK\r\n";
const INVALID = "500 5.5.1 Invalid command\r\n";
const INVALID_ARGUMENT = "501 5.5.4 Invalid argument\r\n";
const BAD_SEQUENCE = "503 5.5.1 Bad sequence of commands\r\n";
const AUTHENTICATION_REQUIRED = "530 5.7.1 Authentication required\r\n";
/** RFC 3207 section 4. nginx accepts MAIL and RCPT in the clear even under `starttls only`. */
const TLS_REQUIRED = "530 5.7.0 Must issue a STARTTLS command first\r\n";

/** nginx's `Auth-Error-Code` where the lookup gives none. */
const REFUSED = "535 5.7.0";

const MAX_ARGUMENTS = 11;

const COMMAND_NAME =
  /^(EHLO|HELO|AUTH|MAIL|RCPT|RSET|NOOP|QUIT|STARTTLS|VRFY|EXPN|HELP|XCLIENT)\b/i;

/** AUTH may carry a SASL response, and so be longer than other commands. */
const AUTH = /^AUTH /i;

export class SmtpHandler extends CommandHandler<SmtpPolicy> implements ProtocolHandler {
  /** Only `proxy_smtp_auth` needs one, and reports it missing when AUTH is due. */
  readonly passwordRequired = false;
  readonly #configuration: SmtpConfiguration;
  /** The last EHLO or HELO since TLS began. */
  #hello: Hello | null = null;
  /** True where the last one was EHLO. STARTTLS forgets the name, but not this. */
  #extended = false;
  /** With `smtp_auth none`: the MAIL command, as it came. */
  #from: ByteString | null = null;
  /** With `smtp_auth none`: the RCPT command that is being looked up, as it came. */
  #to: ByteString | null = null;

  constructor(configuration: SmtpConfiguration, secure: boolean) {
    super(configuration, secure);
    this.#configuration = configuration;
  }

  protected get continuation() {
    return "334 " as const;
  }

  protected get commandName(): RegExp {
    return COMMAND_NAME;
  }

  protected get maxResponseWords(): number {
    return 11;
  }

  greeting(): ByteString {
    return this.#configuration.greeting;
  }

  /** nginx takes an empty text for success here. It is neither that nor a judgement of the password. */
  refused(text: ByteString, errorCode: string | null): ByteString {
    if (text === "") return this.unavailable();
    return `${errorCode ?? REFUSED} ${text}\r\n`;
  }

  /** A code that does not begin with 4 would call the password wrong. */
  override undecided(text: ByteString, errorCode: string | null): ByteString {
    const isTemporary = errorCode !== null && errorCode.startsWith("4");
    return `${isTemporary ? errorCode : this.#temporaryCode} ${text}\r\n`;
  }

  unavailable(): ByteString {
    return `${this.#temporaryCode} internal server error\r\n`;
  }

  /** RFC 4954 section 6 for a login, and RFC 3463 section 3.4 for a recipient. */
  get #temporaryCode(): string {
    return this.#to === null ? "454 4.7.0" : "451 4.3.0";
  }

  override get greetingDelay(): number {
    return this.settings.smtp_greeting_delay;
  }

  override earlyTalker(input: Input): Farewell {
    const [line = ""] = /^[^\n]*\n?/.exec(input.peek(this.settings.smtp_client_buffer)) ?? [];
    const [shown = ""] = /^(?:EHLO|HELO) .*/is.exec(line) ?? COMMAND_NAME.exec(line) ?? [];
    return {
      kind: "farewell",
      text: "503 5.5.0 Improper use of SMTP command pipelining\r\n",
      note: `client was rejected before greeting: ${quoted(oneLine(shown))}`,
    };
  }

  limited(limit: Limit): ByteString {
    return `421 4.7.0 too many ${limit}, try again later\r\n`;
  }

  /** RFC 5321 section 4.5.3.2, RFC 3463 section 3.5. */
  timedOut(): ByteString {
    return "421 4.4.2 timed out\r\n";
  }

  shuttingDown(): ByteString {
    return "421 4.3.2 server shutting down, please reconnect\r\n";
  }

  certificateRefused(text: string): ByteString {
    return `421 4.7.1 ${text}\r\n`;
  }

  login(account: Account, client: ClientInfo, tls: TlsMode, input: Input): Script<LoginEnd> {
    const replies = new ReplyReader(input, this.settings.proxy_buffer, isContinued);
    const transaction =
      this.#from === null || this.#to === null ? null : { from: this.#from, to: this.#to };
    const session = { hello: this.#hello, extended: this.#extended, transaction };
    return login(replies, account, client, this.loginOptions(tls), this.settings, session);
  }

  override secured(): void {
    super.secured();
    this.#hello = null;
    this.#from = null;
  }

  protected invalid(): ByteString {
    return INVALID;
  }

  /** RFC 4954 section 4. */
  protected cancelled(): ByteString {
    return "501 5.7.0 Authentication cancelled\r\n";
  }

  protected command(input: Input): Step | null {
    const buffer = this.settings.smtp_client_buffer;
    const isAuth = input.length >= buffer && AUTH.test(input.peek(5));
    const line = input.line(isAuth ? this.#configuration.maxAuth : buffer);
    if (line === null) return null;
    const text = chomp(line) ?? "";
    const verb = verbOf(text);
    const args = wordsOf(argumentOf(text));
    if (verb === "" || args.length > MAX_ARGUMENTS) return this.parserError(line);
    this.#to = null;
    return this.#answer(verb, args, line);
  }

  #answer(verb: string, args: readonly ByteString[], line: ByteString): Step {
    switch (verb) {
      case "EHLO":
      case "HELO":
        return this.#helloCommand(verb, args);
      case "AUTH":
        if (this.policy.starttlsRequired) return this.refuse();
        return args.length === 0 ? this.reply(INVALID_ARGUMENT) : this.authenticate(args);
      case "STARTTLS":
        return this.policy.starttlsAvailable
          ? { kind: "starttls", text: "220 2.0.0 Start TLS\r\n" }
          : this.refuse();
      case "MAIL":
        return this.#mail(args, line);
      case "RCPT":
        return this.#recipient(args, withoutLineEnd(line));
      case "RSET":
        this.#from = null;
        return this.reply(OK);
      case "NOOP":
        return this.reply(OK);
      case "QUIT":
        return { kind: "farewell", text: "221 2.0.0 Bye\r\n" };
      case "XCLIENT":
        return this.settings.proxy_client_id ? this.#xclient(args) : this.parserError(line);
      case "VRFY":
      case "EXPN":
      case "HELP":
        return this.refuse();
      case "BDAT":
        // The chunk follows without waiting (RFC 3030 section 2), and must not be taken for commands.
        return {
          kind: "farewell",
          text: INVALID,
          note: "client sent BDAT without a recipient",
        };
      default:
        return this.parserError(line);
    }
  }

  /** A session begins anew after XCLIENT, as it does at Postfix. */
  #xclient(attributes: readonly ByteString[]): Step {
    if (attributes.length === 0) return this.reply(INVALID_ARGUMENT);
    this.limitHops(xclientHops(attributes));
    this.#hello = null;
    this.#from = null;
    return this.reply(this.greeting());
  }

  /** The upstream judges the arguments. */
  #mail(args: readonly ByteString[], line: ByteString): Step {
    if (!this.#configuration.withoutLogin) {
      const note = `client was rejected: ${quoted(oneLine(line))}`;
      return this.answer({ kind: "reply", text: AUTHENTICATION_REQUIRED, note });
    }
    if (this.policy.starttlsRequired) return this.reply(TLS_REQUIRED);
    if (this.#from !== null) return this.reply(BAD_SEQUENCE);
    const command = withoutLineEnd(line);
    if (args.length === 0 || !isClean(command)) return this.reply(INVALID_ARGUMENT);
    this.#from = command;
    return this.reply(OK);
  }

  #recipient(args: readonly ByteString[], command: ByteString): Step {
    const { withoutLogin } = this.#configuration;
    if (this.policy.starttlsRequired && withoutLogin) return this.reply(TLS_REQUIRED);
    if (this.#from === null) return this.reply(BAD_SEQUENCE);
    if (args.length === 0 || !isClean(command)) return this.reply(INVALID_ARGUMENT);
    this.#to = command;
    const helo = this.#hello?.name ?? "";
    return { kind: "login", credentials: { method: "none", helo, from: this.#from, to: command } };
  }

  #helloCommand(verb: Hello["verb"], [name, ...more]: readonly ByteString[]): Step {
    // The name goes into a lookup's header and to the upstream.
    if (name === undefined || more.length > 0 || !isClean(name))
      return this.reply(INVALID_ARGUMENT);
    this.#hello = { verb, name };
    this.#extended = verb === "EHLO";
    this.#from = null;
    return this.reply(this.#extended ? this.policy.extensions : this.#configuration.hello);
  }
}

/** MAIL and RCPT as the upstream gets them: from the verb to the end of the last argument. */
function withoutLineEnd(line: ByteString): ByteString {
  return trimSpaces(line.endsWith("\r\n") ? line.slice(0, -2) : line.slice(0, -1));
}

/** Shows line ends like nginx's log. */
function oneLine(text: ByteString): string {
  return text.replace(/[\r\n]/g, "_");
}
