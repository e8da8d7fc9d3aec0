/**
 * What the three dialogues have in common: commands one at a time, errors counted, SASL exchanges.
 *
 * nginx counts only what its parsers reject (unknown verbs, broken lines), not commands that are right in
 * the wrong place, and closes at `max_errors`.
 */
import { randomInt } from "node:crypto";
import type { ByteString, TlsMode } from "../../shared/lookup.ts";
import type { ServerSettings } from "../config/index.ts";
import { type Input, TooLong, chomp, trimSpaces } from "../transport/index.ts";
import { MAX_HOPS } from "./client-id.ts";
import { SASL_LINE } from "./limits.ts";
import type { Farewell, LoginOptions, Step } from "./protocol.ts";
import { type Exchange, exchange, offered } from "./sasl.ts";

export abstract class CommandHandler {
  /** Whether TLS is active. */
  protected secure: boolean;
  protected readonly settings: ServerSettings;
  #errors = 0;
  #commands = 0;
  #exchange: Exchange | null = null;
  /** The mechanism's name, for the log. */
  #mechanism = "";
  /** What follows when the client has answered the challenge that tells of its failure. */
  #refusal: Step | null = null;
  #salt: string | null = null;
  /** Proxies that may still be passed, ourselves included. */
  #hops = MAX_HOPS;

  constructor(settings: ServerSettings, secure: boolean) {
    this.settings = settings;
    this.secure = secure;
  }

  /** Reads a command and answers it. @throws TooLong */
  protected abstract command(input: Input): Step | null;
  /** The reply to what is not a command. */
  protected abstract invalid(): ByteString;
  /** The reply to a SASL exchange that the client gave up (RFC 4422 section 3.5). */
  protected abstract cancelled(): ByteString;
  /** What stands before a challenge. */
  protected abstract readonly continuation: "+ " | "334 ";
  /** What the protocol's `*_auth` directive names. */
  protected abstract readonly methods: readonly string[];
  /** Finds a command's name, as its group, at the start of what has arrived. */
  protected abstract readonly verb: RegExp;
  /** Words in a SASL response line beyond which nginx's parsers give up. */
  protected abstract readonly words: number;

  /** How the upstream is to be logged in to. */
  protected loginOptions(tls: TlsMode): LoginOptions {
    return { tls, hops: this.settings.proxy_client_id ? this.#hops - 1 : null };
  }

  /**
   * The client is a proxy itself, and says how many may follow. That alone is believed of all that proxies
   * tell: it harms nobody but who says it, and ends a loop.
   *
   * @param hops as the client wrote it, if it did
   */
  protected limitHops(hops: ByteString | undefined): void {
    if (hops !== undefined && /^\d{1,4}$/.test(hops)) {
      this.#hops = Math.min(this.#hops, Number(hops));
    }
  }

  /** Only SMTP has clients that give themselves away by not waiting. */
  get greetingDelay(): number {
    return 0;
  }

  earlyTalker(_input: Input): Farewell {
    return { kind: "farewell", text: this.invalid() };
  }

  next(input: Input): Step | null {
    try {
      if (this.#refusal !== null) return this.#dismissed(input, this.#refusal);
      return this.#exchange === null ? this.command(input) : this.#response(input);
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      return { kind: "farewell", text: this.invalid(), note: this.#tooLong(input) };
    }
  }

  /** nginx logs all of it; we nothing that may be a password. */
  #tooLong(input: Input): string {
    const isCommand = this.#exchange === null && this.#refusal === null;
    const [, verb = ""] = (isCommand && this.verb.exec(input.peek(64))) || [];
    return `client sent too long command "${verb}"`;
  }

  secured(): void {
    this.secure = true;
    this.#hops = MAX_HOPS;
  }

  /** Whether STARTTLS may be offered, and taken. */
  protected get starttlsAvailable(): boolean {
    return !this.secure && this.settings.starttls !== "off";
  }

  /** Whether logins must wait for STARTTLS. */
  protected get starttlsRequired(): boolean {
    return !this.secure && this.settings.starttls === "only";
  }

  /** The words of the `*_auth` directive that may be offered now. */
  protected get offered(): readonly string[] {
    return offered(this.methods, this.secure);
  }

  /** Whether commands that show a password (LOGIN, USER and PASS) are taken. */
  protected get passwordsAllowed(): boolean {
    if (this.starttlsRequired) return false;
    const named = this.methods.includes("plain") || this.methods.includes("login");
    return named || !this.settings.auth_strict;
  }

  /** What APOP and CRAM-MD5 digest with the password: once a session, and for all of it (RFC 1939 section 7). */
  protected get salt(): string {
    const seconds = Math.floor(Date.now() / 1000);
    this.#salt ??= `<${randomInt(2 ** 47)}.${seconds}@${this.settings.server_name}>`;
    return this.#salt;
  }

  /** Counts a command; beyond `max_commands` the answer is a farewell. */
  protected answer(step: Step): Step {
    if (++this.#commands <= this.settings.max_commands) return step;
    return { kind: "farewell", text: this.invalid(), note: "client sent too many commands" };
  }

  protected reply(text: ByteString): Step {
    return this.answer({ kind: "reply", text });
  }

  /** A command that is right, in the wrong place or with the wrong arguments: not counted as an error. */
  protected refuse(): Step {
    return this.reply(this.invalid());
  }

  /** What is not a command at all. */
  protected parserError(): Step {
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

  /** The client says that it has understood: with `^A`, as RFC 7628 has it, or with whatever it likes. */
  #dismissed(input: Input, refusal: Step): Step | null {
    if (input.line(SASL_LINE) === null) return null;
    this.#refusal = null;
    return refusal;
  }

  /** Begins a SASL exchange. */
  protected authenticate([name = "", initial, ...more]: readonly ByteString[]): Step {
    const begun = exchange(name, initial, {
      enabled: this.methods,
      strict: this.settings.auth_strict,
      secure: this.secure,
      salt: () => this.salt,
    });
    if (begun === null || more.length > 0) return this.refuse();
    this.#mechanism = name.toUpperCase();
    return this.#proceed(begun, begun.next());
  }

  #response(input: Input): Step | null {
    const line = input.line(SASL_LINE);
    const current = this.#exchange;
    if (line === null || current === null) return null;
    const text = chomp(line);
    const words = text === null ? [] : trimSpaces(text).split(/ +/);
    const [response = ""] = words;
    if (words.length > this.words || words.length === 0) {
      this.#exchange = null;
      return this.parserError();
    }
    if (response === "*") {
      this.#exchange = null;
      return this.reply(this.cancelled());
    }
    return this.#proceed(current, current.next(response));
  }

  #proceed(current: Exchange, result: ReturnType<Exchange["next"]>): Step {
    if (result.done !== true) {
      this.#exchange = current;
      return this.reply(`${this.continuation}${result.value}\r\n`);
    }
    this.#exchange = null;
    const found = result.value;
    if (typeof found !== "string") return { kind: "login", credentials: found };
    const note = `client sent invalid ${found} in AUTH ${this.#mechanism} command`;
    return this.answer({ kind: "reply", text: this.invalid(), note });
  }
}
