/** IMAP before the login, as nginx speaks it. */
import type { ByteString, TlsMode } from "../../../shared/lookup.ts";
import { idHops } from "../client-id.ts";
import { CommandHandler } from "../command-handler.ts";
import type { Input, Script } from "../../transport/index.ts";
import { ReplyReader } from "../reply-reader.ts";
import { SASL_LINE } from "../limits.ts";
import type { Account, ClientInfo, ProtocolHandler, Limit, LoginEnd, Step } from "../protocol.ts";
import { credentials } from "../sasl.ts";
import {
  type ImapCommand,
  CommandParser,
  type CommandLimits,
  type ParseResult,
} from "./command.ts";
import { login } from "./login.ts";

export class ImapHandler extends CommandHandler implements ProtocolHandler {
  protected readonly continuation = "+ ";
  protected readonly words = 3;
  protected readonly verb = /^\S+ +(CAPABILITY|NOOP|LOGOUT|STARTTLS|LOGIN|AUTHENTICATE|ID)\b/i;
  readonly passwordRequired = true;
  readonly #parser = new CommandParser((name) => name !== "ID" || this.settings.proxy_client_id);
  /** Of the command being answered; null where it had none. */
  #tag: ByteString | null = null;

  protected get methods(): readonly string[] {
    return this.settings.imap_auth;
  }

  greeting(): ByteString {
    return "* OK IMAP4 ready\r\n";
  }

  refused(text: ByteString): ByteString {
    return `${this.#tag ?? "*"} NO ${text}\r\n`;
  }

  unavailable(): ByteString {
    return this.#tag === null
      ? "* BYE [UNAVAILABLE] internal server error\r\n"
      : `${this.#tag} NO [UNAVAILABLE] internal server error\r\n`;
  }

  /** RFC 5530 section 3. */
  limited(what: Limit): ByteString {
    const answer = this.#tag === null ? "* BYE" : `${this.#tag} NO`;
    return `${answer} [LIMIT] too many ${what}, try again later\r\n`;
  }

  timedOut(): ByteString {
    return "* BYE timed out\r\n";
  }

  shuttingDown(): ByteString {
    return "* BYE [UNAVAILABLE] server shutting down, please reconnect\r\n";
  }

  certificateRefused(text: string): ByteString {
    return `* BYE ${text}\r\n`;
  }

  login(account: Account, client: ClientInfo, tls: TlsMode, input: Input): Script<LoginEnd> {
    const replies = new ReplyReader(input, this.settings.proxy_buffer);
    return login(replies, this.#tag ?? "*", account, client, this.loginOptions(tls));
  }

  protected invalid(): ByteString {
    return `${this.#tag ?? "*"} BAD invalid command\r\n`;
  }

  protected cancelled(): ByteString {
    return `${this.#tag ?? "*"} BAD authentication cancelled\r\n`;
  }

  protected command(input: Input): Step | null {
    const buffer = this.settings.imap_client_buffer;
    const limits = { command: buffer, authenticate: Math.max(buffer, SASL_LINE) };
    const reading = this.#read(input, limits);
    if (reading === null) return null;
    if (reading.kind === "continue") return { kind: "reply", text: "+ OK\r\n" };
    if (reading.kind === "command") {
      this.#tag = reading.command.tag;
      return this.#answer(reading.command);
    }
    this.#tag = reading.tag;
    const step = this.parserError();
    if (!reading.literalFollows) return step;
    return { kind: "farewell", text: this.invalid(), note: "client sent an unwanted literal" };
  }

  #read(input: Input, limits: CommandLimits): ParseResult | null {
    try {
      return this.#parser.next(input, limits);
    } finally {
      // What goes wrong from here on is told under the tag of the command being read, if it has one.
      this.#tag = this.#parser.tag;
    }
  }

  #answer({ name, args }: ImapCommand): Step {
    switch (name) {
      case "CAPABILITY":
        return this.reply(`* CAPABILITY ${this.#capabilities()}\r\n${this.#completed()}`);
      case "NOOP":
        return this.reply(this.#completed());
      case "LOGOUT":
        return { kind: "farewell", text: `* BYE\r\n${this.#completed()}` };
      case "STARTTLS":
        return this.starttlsAvailable
          ? { kind: "starttls", text: this.#completed() }
          : this.refuse();
      case "LOGIN":
        return this.passwordsAllowed ? this.#loginCommand(args) : this.refuse();
      case "AUTHENTICATE":
        return this.starttlsRequired ? this.refuse() : this.authenticate(args);
      case "ID":
        return args.length === 0 ? this.refuse() : this.#identified(args);
    }
  }

  /** RFC 2971 section 3.1. */
  #identified(words: readonly ByteString[]): Step {
    this.limitHops(idHops(words));
    return this.reply(`* ID NIL\r\n${this.#completed()}`);
  }

  #loginCommand([user = "", password, ...more]: readonly ByteString[]): Step {
    const given = password === undefined ? null : credentials(user, password);
    if (user === "" || given === null || more.length > 0) return this.refuse();
    return { kind: "login", credentials: given };
  }

  #completed(): ByteString {
    return `${this.#tag ?? "*"} OK completed\r\n`;
  }

  #capabilities(): string {
    const mechanisms = this.starttlsRequired
      ? []
      : this.offered.map((name) => `AUTH=${name.toUpperCase()}`);
    const { imap_capabilities, proxy_client_id } = this.settings;
    return [
      ...imap_capabilities,
      ...(proxy_client_id && !imap_capabilities.includes("ID") ? ["ID"] : []),
      ...mechanisms,
      ...(this.starttlsAvailable ? ["STARTTLS"] : []),
      ...(this.passwordsAllowed ? [] : ["LOGINDISABLED"]),
    ].join(" ");
  }
}
