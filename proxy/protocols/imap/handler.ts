/** IMAP before the login, as nginx speaks it. */
import type { ByteString, TlsMode } from "../../../shared/lookup.ts";
import type { Input, Script } from "../../transport/index.ts";
import { idHops } from "../client-id.ts";
import { CommandHandler } from "../command-handler.ts";
import type { Account, ClientInfo, Limit, LoginEnd, ProtocolHandler, Step } from "../protocol.ts";
import { ReplyReader } from "../reply-reader.ts";
import { credentials } from "../sasl.ts";
import { CommandParser, type ParseResult } from "./command.ts";
import { isUntagged, login } from "./login.ts";
import type { ImapConfiguration, ImapPolicy } from "./policy.ts";

const COMMAND_NAME = /^\S+ +(CAPABILITY|NOOP|LOGOUT|STARTTLS|LOGIN|AUTHENTICATE|ID)\b/i;

export class ImapHandler extends CommandHandler<ImapPolicy> implements ProtocolHandler {
  readonly passwordRequired = true;
  readonly #parser: CommandParser;
  /** The tag of the command that is answered; null where it has none. */
  #tag: ByteString | null = null;

  constructor(configuration: ImapConfiguration, secure: boolean) {
    super(configuration, secure);
    this.#parser = new CommandParser(configuration.parser);
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
  limited(limit: Limit): ByteString {
    const answer = this.#tag === null ? "* BYE" : `${this.#tag} NO`;
    return `${answer} [LIMIT] too many ${limit}, try again later\r\n`;
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
    const replies = new ReplyReader(input, this.settings.proxy_buffer, isUntagged);
    return login(replies, this.#tag ?? "*", account, client, this.loginOptions(tls));
  }

  protected invalid(): ByteString {
    return `${this.#tag ?? "*"} BAD invalid command\r\n`;
  }

  protected cancelled(): ByteString {
    return `${this.#tag ?? "*"} BAD authentication cancelled\r\n`;
  }

  protected command(input: Input): Step | null {
    const result = this.#parse(input);
    if (result === null) return null;
    if (result.kind === "continue") return { kind: "reply", text: "+ OK\r\n" };
    this.#tag = result.tag;
    if (result.kind === "command") return this.#answer(result);
    const step = this.parserError(result.line);
    if (!result.literalFollows) return step;
    return { kind: "farewell", text: this.invalid(), note: "client sent an unwanted literal" };
  }

  #parse(input: Input): ParseResult | null {
    try {
      return this.#parser.next(input);
    } finally {
      // The reply to a command that cannot be read, or not yet, carries its tag too.
      this.#tag = this.#parser.tag;
    }
  }

  #answer({ name, args }: ParseResult & { kind: "command" }): Step {
    switch (name) {
      case "CAPABILITY":
        return this.reply(`${this.policy.capability}${this.#completed()}`);
      case "NOOP":
        return this.reply(this.#completed());
      case "LOGOUT":
        return { kind: "farewell", text: `* BYE\r\n${this.#completed()}` };
      case "STARTTLS":
        return this.policy.starttlsAvailable
          ? { kind: "starttls", text: this.#completed() }
          : this.refuse();
      case "LOGIN":
        return this.policy.passwordsAllowed ? this.#login(args) : this.refuse();
      case "AUTHENTICATE":
        return this.authenticate(args);
      case "ID":
        return args.length === 0 ? this.refuse() : this.#id(args);
    }
  }

  /** RFC 2971 section 3.1. */
  #id(words: readonly ByteString[]): Step {
    this.limitHops(idHops(words));
    return this.reply(`* ID NIL\r\n${this.#completed()}`);
  }

  #login([user = "", password, ...more]: readonly ByteString[]): Step {
    const given = password === undefined ? null : credentials(user, password);
    if (user === "" || given === null || more.length > 0) return this.refuse();
    return { kind: "login", credentials: given };
  }

  #completed(): ByteString {
    return `${this.#tag ?? "*"} OK completed\r\n`;
  }
}
