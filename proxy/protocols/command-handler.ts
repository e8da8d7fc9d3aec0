/**
 * The common part of the three protocol handlers: it reads one command at a time, counts errors and runs SASL
 * exchanges.
 *
 * Like nginx, it counts as errors only what a parser rejects (unknown verbs, broken lines), not commands that are
 * valid in another place, and closes at `max_errors`.
 */
import { randomInt } from "node:crypto";
import type { ByteString, TlsMode } from "../../shared/lookup.ts";
import type { ServerSettings } from "../config/index.ts";
import { type Input, TooLong, chomp, trimSpaces } from "../transport/index.ts";
import { MAX_HOPS } from "./client-id.ts";
import { SASL_LINE } from "./limits.ts";
import type { LoginPolicy } from "./login-policy.ts";
import type { Farewell, LoginOptions, Step } from "./protocol.ts";
import { type SaslExchange, type SaltSource, beginExchange } from "./sasl.ts";

/** The parts of a protocol that all sessions of a server share. */
export interface Configuration<Policy extends LoginPolicy> {
  readonly settings: ServerSettings;
  /** For sessions in the clear. */
  readonly clear: Policy;
  /** For sessions under TLS. */
  readonly tls: Policy;
}

/** A request line (RFC 9112 section 3), or a handshake record (RFC 8446 section 5.1). */
// oxlint-disable-next-line no-control-regex -- they begin a record
const FOREIGN = /^(?:[A-Z]+ \S+ HTTP\/\d|\x16\x03[\0-\x04])/;

export abstract class CommandHandler<Policy extends LoginPolicy> implements SaltSource {
  protected readonly settings: ServerSettings;
  protected policy: Policy;
  readonly #underTls: Policy;
  #errors = 0;
  #commands = 0;
  #exchange: SaslExchange | null = null;
  /** The name of the exchange's mechanism, for the log. */
  #mechanism = "";
  /** The step after the client's answer to the challenge that reports a failed login. */
  #refusal: Step | null = null;
  #salt: string | null = null;
  /** Proxies that the session may still pass, this one included. */
  #hops = MAX_HOPS;

  constructor({ settings, clear, tls }: Configuration<Policy>, secure: boolean) {
    this.settings = settings;
    this.policy = secure ? tls : clear;
    this.#underTls = tls;
  }

  /** Reads a command and answers it. @throws TooLong */
  protected abstract command(input: Input): Step | null;
  /** The reply to a login that the lookup refused, in the lookup's words. */
  abstract refused(text: ByteString, errorCode: string | null): ByteString;
  /** The reply to an invalid command. */
  protected abstract invalid(): ByteString;
  /** The reply to a SASL exchange that the client cancelled (RFC 4422 section 3.5). */
  protected abstract cancelled(): ByteString;
  /** The start of a challenge line. */
  protected abstract get continuation(): "+ " | "334 ";
  /** Finds the name of a command, as its group, at the start of the input. */
  protected abstract get commandName(): RegExp;
  /** Words of a SASL response line that nginx's parser accepts. */
  protected abstract get maxResponseWords(): number;

  protected loginOptions(tls: TlsMode): LoginOptions {
    return { tls, hops: this.settings.proxy_client_id ? this.#hops - 1 : null };
  }

  /**
   * Believes a client that is a proxy itself when it lowers the number of hops, because that ends a loop. Nothing
   * else that a client says about itself is believed.
   *
   * @param hops as the client wrote it, or undefined
   */
  protected limitHops(hops: ByteString | undefined): void {
    if (hops !== undefined && /^\d{1,4}$/.test(hops)) {
      this.#hops = Math.min(this.#hops, Number(hops));
    }
  }

  /** Only SMTP's codes say whether a failure is temporary; the endpoint's own text says so in IMAP and POP3. */
  undecided(text: ByteString, errorCode: string | null): ByteString {
    return this.refused(text, errorCode);
  }

  /** Only SMTP delays its greeting. */
  get greetingDelay(): number {
    return 0;
  }

  earlyTalker(_input: Input): Farewell {
    return { kind: "farewell", text: this.invalid() };
  }

  next(input: Input): Step | null {
    try {
      if (this.#refusal !== null) return this.#afterChallenge(input, this.#refusal);
      return this.#exchange === null ? this.command(input) : this.#response(input, this.#exchange);
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      return { kind: "farewell", text: this.invalid(), note: this.#tooLong(input) };
    }
  }

  /** nginx logs the whole line. Postern logs the command's name only, because the rest may be a password. */
  #tooLong(input: Input): string {
    const isCommand = this.#exchange === null && this.#refusal === null;
    const [, name = ""] = (isCommand && this.commandName.exec(input.peek(64))) || [];
    return `client sent too long command "${name}"`;
  }

  secured(): void {
    this.policy = this.#underTls;
    this.#hops = MAX_HOPS;
  }

  /** The text that APOP and CRAM-MD5 digest with the password: one for the whole session (RFC 1939 section 7). */
  get salt(): string {
    const seconds = Math.floor(Date.now() / 1000);
    this.#salt ??= `<${randomInt(2 ** 47)}.${seconds}@${this.settings.server_name}>`;
    return this.#salt;
  }

  /** Counts a command. Beyond `max_commands` the step becomes a farewell. */
  protected answer(step: Step): Step {
    if (++this.#commands <= this.settings.max_commands) return step;
    return { kind: "farewell", text: this.invalid(), note: "client sent too many commands" };
  }

  protected reply(text: ByteString): Step {
    return this.answer({ kind: "reply", text });
  }

  /** Answers a known command in the wrong place or with wrong arguments. It does not count as an error. */
  protected refuse(): Step {
    return this.reply(this.invalid());
  }

  /**
   * Answers a line that is not a command. It counts as an error. A line of HTTP or TLS ends the session at once, as at
   * Postfix (`smtpd_forbidden_commands`): commands of an attacker may stand behind it, in the body of a form or in a
   * name that the handshake carries (ALPACA, "TLS poison"). nginx reads on.
   */
  protected parserError(line: ByteString): Step {
    if (FOREIGN.test(line)) {
      return { kind: "farewell", text: this.invalid(), note: "client speaks HTTP or TLS" };
    }
    if (++this.#errors < this.settings.max_errors) return this.reply(this.invalid());
    return {
      kind: "farewell",
      text: this.invalid(),
      note: "client sent too many invalid commands",
    };
  }

  challenge(text: string, refusal: Step): ByteString {
    this.#refusal = refusal;
    return `${this.continuation}${text}\r\n`;
  }

  /** RFC 7628 section 3.2.3 asks for `^A` here. Any line will do, because the refusal follows in any case. */
  #afterChallenge(input: Input, refusal: Step): Step | null {
    if (input.line(SASL_LINE) === null) return null;
    this.#refusal = null;
    return refusal;
  }

  /** Begins a SASL exchange. */
  protected authenticate([name = "", initial, ...more]: readonly ByteString[]): Step {
    const exchange = beginExchange(this.policy.mechanisms, name, initial, this);
    if (exchange === null || more.length > 0) return this.refuse();
    this.#mechanism = name.toUpperCase();
    return this.#proceed(exchange, exchange.next());
  }

  #response(input: Input, exchange: SaslExchange): Step | null {
    const line = input.line(SASL_LINE);
    if (line === null) return null;
    const text = chomp(line);
    const words = text === null ? [] : trimSpaces(text).split(/ +/);
    const [response = ""] = words;
    if (words.length > this.maxResponseWords || words.length === 0) {
      this.#exchange = null;
      return this.parserError(line);
    }
    if (response === "*") {
      this.#exchange = null;
      return this.reply(this.cancelled());
    }
    return this.#proceed(exchange, exchange.next(response));
  }

  #proceed(exchange: SaslExchange, result: ReturnType<SaslExchange["next"]>): Step {
    if (result.done !== true) {
      this.#exchange = exchange;
      return this.reply(`${this.continuation}${result.value}\r\n`);
    }
    this.#exchange = null;
    const found = result.value;
    if (typeof found !== "string") return { kind: "login", credentials: found };
    const note = `client sent invalid ${found} in AUTH ${this.#mechanism} command`;
    return this.answer({ kind: "reply", text: this.invalid(), note });
  }
}
