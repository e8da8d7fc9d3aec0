/** SMTP submission before the login (RFC 5321, RFC 4954), as nginx speaks it. */
import type { ByteString, TlsMode } from "../../../shared/lookup.ts";
import { xclientHops } from "../client-id.ts";
import { CommandHandler } from "../command-handler.ts";
import { type Input, type Script, chomp, trimSpaces } from "../../transport/index.ts";
import { ReplyReader } from "../reply-reader.ts";
import { SASL_LINE } from "../limits.ts";
import type {
  Account,
  ClientInfo,
  ProtocolHandler,
  Farewell,
  Limit,
  LoginEnd,
  Step,
} from "../protocol.ts";
import { isClean } from "../sasl.ts";
import { login } from "./login.ts";
import type { Hello } from "./xclient.ts";

const OK = "250 2.0.0 OK\r\n";
const INVALID = "500 5.5.1 Invalid command\r\n";
const INVALID_ARGUMENT = "501 5.5.4 Invalid argument\r\n";
const BAD_SEQUENCE = "503 5.5.1 Bad sequence of commands\r\n";
const AUTHENTICATION_REQUIRED = "530 5.7.1 Authentication required\r\n";
/** RFC 3207 section 4. nginx lets MAIL and RCPT through in the clear even under `starttls only`. */
const TLS_REQUIRED = "530 5.7.0 Must issue a STARTTLS command first\r\n";

/** nginx's `Auth-Error-Code` where the lookup gives none. */
const REFUSED = "535 5.7.0";

const MOST_ARGUMENTS = 11;

/** A command that may carry a SASL response, and so be longer than others. */
const AUTH = /^AUTH /i;

export class SmtpHandler extends CommandHandler implements ProtocolHandler {
  protected readonly continuation = "334 ";
  protected readonly words = 11;
  protected readonly verb =
    /^(EHLO|HELO|AUTH|MAIL|RCPT|RSET|NOOP|QUIT|STARTTLS|VRFY|EXPN|HELP|XCLIENT)\b/i;
  /** Only with `proxy_smtp_auth`, and found missing when it is time to send it. */
  readonly passwordRequired = false;
  /** How the client introduced itself last. */
  #hello: Hello | null = null;
  /** With `smtp_auth none`: the MAIL command, as it came. */
  #from: ByteString | null = null;
  /** The recipient whose route is being looked up, likewise. */
  #to: ByteString | null = null;
  /** Whether that was EHLO; STARTTLS forgets the name, but not this. */
  #extended = false;

  protected get methods(): readonly string[] {
    return this.settings.smtp_auth;
  }

  greeting(): ByteString {
    return `220 ${this.settings.server_name} ESMTP ready\r\n`;
  }

  /** An empty text, which nginx takes for a yes here, is neither that nor a word on the password. */
  refused(text: ByteString, errorCode: string | null): ByteString {
    if (text === "") return this.unavailable();
    return `${errorCode ?? REFUSED} ${text}\r\n`;
  }

  unavailable(): ByteString {
    return this.#to === null
      ? "454 4.7.0 internal server error\r\n"
      : "451 4.3.0 internal server error\r\n";
  }

  override get greetingDelay(): number {
    return this.settings.smtp_greeting_delay;
  }

  override earlyTalker(input: Input): Farewell {
    const [line = ""] = /^[^\n]*\n?/.exec(input.peek(this.settings.smtp_client_buffer)) ?? [];
    const [shown = ""] = /^(?:EHLO|HELO) .*/is.exec(line) ?? this.verb.exec(line) ?? [];
    return {
      kind: "farewell",
      text: "503 5.5.0 Improper use of SMTP command pipelining\r\n",
      note: `client was rejected before greeting: "${oneLine(shown)}"`,
    };
  }

  limited(what: Limit): ByteString {
    return `421 4.7.0 too many ${what}, try again later\r\n`;
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
    const replies = new ReplyReader(input, this.settings.proxy_buffer);
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
    const long = input.length >= buffer && AUTH.test(input.peek(5));
    const line = input.line(long ? Math.max(buffer, SASL_LINE) : buffer);
    if (line === null) return null;
    const [, verb, rest = ""] = /^([A-Za-z]+)(?: +(.*))?$/s.exec(chomp(line) ?? "") ?? [];
    const args = rest.split(/ +/).filter((word) => word !== "");
    if (verb === undefined || args.length > MOST_ARGUMENTS) return this.parserError();
    this.#to = null;
    return this.#answer(verb.toUpperCase(), args, line);
  }

  #answer(verb: string, args: readonly ByteString[], line: ByteString): Step {
    switch (verb) {
      case "EHLO":
      case "HELO":
        return this.#introduced(verb, args);
      case "AUTH":
        if (this.starttlsRequired) return this.refuse();
        return args.length === 0 ? this.reply(INVALID_ARGUMENT) : this.authenticate(args);
      case "STARTTLS":
        return this.starttlsAvailable
          ? { kind: "starttls", text: "220 2.0.0 Start TLS\r\n" }
          : this.refuse();
      case "MAIL":
        return this.#mail(args, line);
      case "RCPT":
        return this.#recipient(args, stored(line));
      case "RSET":
        this.#from = null;
        return this.reply(OK);
      case "NOOP":
        return this.reply(OK);
      case "QUIT":
        return { kind: "farewell", text: "221 2.0.0 Bye\r\n" };
      case "XCLIENT":
        return this.settings.proxy_client_id ? this.#passedOn(args) : this.parserError();
      case "VRFY":
      case "EXPN":
      case "HELP":
        return this.refuse();
      default:
        return this.parserError();
    }
  }

  /** A session begins anew, as it does at Postfix. */
  #passedOn(attributes: readonly ByteString[]): Step {
    if (attributes.length === 0) return this.reply(INVALID_ARGUMENT);
    this.limitHops(xclientHops(attributes));
    this.#hello = null;
    this.#from = null;
    return this.reply(this.greeting());
  }

  /** The arguments are the upstream's to judge. */
  #mail(args: readonly ByteString[], line: ByteString): Step {
    if (!this.methods.includes("none")) {
      const note = `client was rejected: "${oneLine(line)}"`;
      return this.answer({ kind: "reply", text: AUTHENTICATION_REQUIRED, note });
    }
    if (this.starttlsRequired) return this.reply(TLS_REQUIRED);
    if (this.#from !== null) return this.reply(BAD_SEQUENCE);
    const command = stored(line);
    if (args.length === 0 || !isClean(command)) return this.reply(INVALID_ARGUMENT);
    this.#from = command;
    return this.reply(OK);
  }

  #recipient(args: readonly ByteString[], line: ByteString): Step {
    if (this.starttlsRequired && this.methods.includes("none")) return this.reply(TLS_REQUIRED);
    if (this.#from === null) return this.reply(BAD_SEQUENCE);
    if (args.length === 0 || !isClean(line)) return this.reply(INVALID_ARGUMENT);
    this.#to = line;
    const helo = this.#hello?.name ?? "";
    return { kind: "login", credentials: { method: "none", helo, from: this.#from, to: line } };
  }

  #introduced(verb: Hello["verb"], [name, ...more]: readonly ByteString[]): Step {
    // The name goes into a lookup's header and to the upstream.
    if (name === undefined || more.length > 0 || !isClean(name))
      return this.reply(INVALID_ARGUMENT);
    this.#hello = { verb, name };
    this.#extended = verb === "EHLO";
    this.#from = null;
    return this.reply(this.#extended ? this.#extensions() : `250 ${this.settings.server_name}\r\n`);
  }

  #extensions(): ByteString {
    const { server_name, smtp_capabilities, proxy_client_id } = this.settings;
    const methods = this.starttlsRequired ? [] : this.offered.filter((name) => name !== "none");
    const mechanisms = methods.map((name) => name.toUpperCase());
    const lines = [
      server_name,
      ...smtp_capabilities,
      ...(proxy_client_id ? ["XCLIENT TTL"] : []),
      ...(mechanisms.length > 0 ? [`AUTH ${mechanisms.join(" ")}`] : []),
      ...(this.starttlsAvailable ? ["STARTTLS"] : []),
    ];
    return lines
      .map((line, index) => `250${index === lines.length - 1 ? " " : "-"}${line}\r\n`)
      .join("");
  }
}

/** MAIL and RCPT as they are said again: from the verb to the last argument's end. */
function stored(line: ByteString): ByteString {
  return trimSpaces(line.replace(/\r?\n$/, ""));
}

/** As nginx shows line ends in its log. */
function oneLine(text: ByteString): string {
  return text.replace(/[\r\n]/g, "_");
}
