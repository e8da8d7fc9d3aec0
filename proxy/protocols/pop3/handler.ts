/** POP3 before the login, as nginx speaks it. */
import type { ByteString, TlsMode } from "../../../shared/lookup.ts";
import { xclientHops } from "../client-id.ts";
import { CommandHandler } from "../command-handler.ts";
import { type Input, type Script, chomp } from "../../transport/index.ts";
import { ReplyReader } from "../reply-reader.ts";
import { POP3_LINE, SASL_LINE } from "../limits.ts";
import type { Account, ClientInfo, ProtocolHandler, Limit, LoginEnd, Step } from "../protocol.ts";
import { credentials, isClean } from "../sasl.ts";
import { login } from "./login.ts";

const OK = "+OK\r\n";
const MOST_ARGUMENTS = 3;

/** Commands have four letters, but for Dovecot's. */
const COMMAND = /^([A-Za-z]{4}|XCLIENT)(?: +(.*))?$/is;

/** A command that may carry a SASL response, and so be longer than others. */
const AUTH = /^AUTH /i;

export class Pop3Handler extends CommandHandler implements ProtocolHandler {
  protected readonly continuation = "+ ";
  protected readonly words = 3;
  protected readonly verb = /^(USER|PASS|APOP|AUTH|CAPA|STLS|NOOP|QUIT)\b/i;
  readonly passwordRequired = true;
  /** What USER said, until PASS or anything else comes. */
  #user: ByteString | null = null;

  /** `plain` in pop3_auth stands for USER/PASS, AUTH PLAIN and AUTH LOGIN. */
  protected get methods(): readonly string[] {
    return this.settings.pop3_auth.flatMap((name) => (name === "plain" ? [name, "login"] : name));
  }

  /**
   * The salt in the greeting is what offers APOP (RFC 1939 section 7); `[XCLIENT]` is Dovecot's way to offer
   * that.
   */
  greeting(): ByteString {
    const salted = this.methods.includes("apop") || this.methods.includes("cram-md5");
    const ready = this.settings.proxy_client_id ? "+OK [XCLIENT] POP3 ready" : "+OK POP3 ready";
    return salted ? `${ready} ${this.salt}\r\n` : `${ready}\r\n`;
  }

  refused(text: ByteString): ByteString {
    return `-ERR ${text}\r\n`;
  }

  unavailable(): ByteString {
    return "-ERR [SYS/TEMP] internal server error\r\n";
  }

  /** RFC 2449 section 8.1. */
  limited(what: Limit): ByteString {
    const code = what === "logins" ? "LOGIN-DELAY" : "IN-USE";
    return `-ERR [${code}] too many ${what}, try again later\r\n`;
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
    const replies = new ReplyReader(input, this.settings.proxy_buffer);
    return login(replies, account, client, this.loginOptions(tls));
  }

  override secured(): void {
    super.secured();
    this.#user = null;
  }

  protected invalid(): ByteString {
    return "-ERR invalid command\r\n";
  }

  protected cancelled(): ByteString {
    return "-ERR authentication cancelled\r\n";
  }

  protected command(input: Input): Step | null {
    const long = input.length >= POP3_LINE && AUTH.test(input.peek(5));
    const line = input.line(long ? SASL_LINE : POP3_LINE);
    if (line === null) return null;
    const user = this.#user;
    this.#user = null;
    const [, verb, argument = ""] = COMMAND.exec(chomp(line) ?? "") ?? [];
    if (verb === undefined) return this.parserError();
    const name = verb.toUpperCase();
    const args = argument.split(/ +/).filter((word) => word !== "");
    const whole = ["USER", "PASS", "XCLIENT"].includes(name);
    if (!whole && args.length > MOST_ARGUMENTS) return this.parserError();
    return user === null
      ? this.#start(name, argument, args)
      : this.#afterUser(name, argument, user);
  }

  #start(name: string, argument: ByteString, args: readonly ByteString[]): Step {
    switch (name) {
      case "USER":
        if (!this.passwordsAllowed || argument === "") return this.refuse();
        this.#user = argument;
        return this.reply(OK);
      case "AUTH":
        if (this.starttlsRequired) return this.refuse();
        return args.length === 0 ? this.reply(this.#methods()) : this.authenticate(args);
      case "STLS":
        return this.starttlsAvailable ? { kind: "starttls", text: OK } : this.refuse();
      case "APOP":
        return this.starttlsRequired ? this.refuse() : this.#apop(args);
      case "PASS":
        return this.refuse();
      case "XCLIENT":
        return this.settings.proxy_client_id ? this.#introduced(args) : this.parserError();
      default:
        return this.#anywhere(name, this.starttlsAvailable) ?? this.parserError();
    }
  }

  #introduced(attributes: readonly ByteString[]): Step {
    this.limitHops(xclientHops(attributes));
    return this.reply(OK);
  }

  #apop([user, digest, ...more]: readonly ByteString[]): Step {
    if (user === undefined || digest === undefined || more.length > 0) return this.refuse();
    if (!this.methods.includes("apop") || !isClean(user) || !isClean(digest)) return this.refuse();
    return {
      kind: "login",
      credentials: { method: "apop", login: user, digest, salt: this.salt },
    };
  }

  #afterUser(name: string, argument: ByteString, user: ByteString): Step {
    if (name === "PASS") {
      const given = argument === "" ? null : credentials(user, argument);
      return given === null ? this.refuse() : { kind: "login", credentials: given };
    }
    // Not between USER and PASS, where nginx does not offer it either.
    const step = this.#anywhere(name, false);
    if (step !== null) {
      this.#user = user;
      return step;
    }
    return ["USER", "APOP", "AUTH", "STLS"].includes(name) ? this.refuse() : this.parserError();
  }

  /** @param stls whether STLS may be offered now */
  #anywhere(name: string, stls: boolean): Step | null {
    switch (name) {
      case "CAPA":
        return this.reply(this.#capabilities(stls));
      case "NOOP":
        return this.reply(OK);
      case "QUIT":
        return { kind: "farewell", text: OK };
      default:
        return null;
    }
  }

  #capabilities(stls: boolean): ByteString {
    const { pop3_capabilities } = this.settings;
    const lines = this.starttlsRequired
      ? pop3_capabilities.filter((word) => word !== "USER")
      : [...pop3_capabilities, ["SASL", ...this.#mechanisms()].join(" ")];
    return list("+OK Capability list follows", stls ? [...lines, "STLS"] : lines);
  }

  #methods(): ByteString {
    return list("+OK methods supported:", this.#mechanisms());
  }

  /** APOP is a command, and no SASL mechanism. */
  #mechanisms(): readonly string[] {
    return this.offered.filter((name) => name !== "apop").map((name) => name.toUpperCase());
  }
}

function list(title: string, lines: readonly string[]): ByteString {
  return `${[title, ...lines, "."].join("\r\n")}\r\n`;
}
