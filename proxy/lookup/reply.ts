/** A lookup's reply: bytes, in whatever pieces they come, into an answer. */
import { type ByteString, STATUS_OK, unescapeBytes } from "../../shared/lookup.ts";
import { type Input, trimBlanks } from "../transport/index.ts";
import type { Answer } from "./authority.ts";
import { readFreshness } from "./freshness.ts";
import { readRoute } from "./route.ts";

/** Status line and headers together, bytes; nginx stops at 1,024. */
export const LONGEST_HEAD = 16_384;

/** What an answer came with. */
export interface Head {
  readonly answer: Answer;
  readonly status: number;
  /** Headers by their names in small letters. */
  readonly fields: ReadonlyMap<string, ByteString>;
  /** Bytes of a body that follows and is ignored; null where only the connection's end shows its end. */
  readonly body: number | null;
  readonly keepAlive: boolean;
}

/** RFC 9110 section 5.6.2. */
export const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Not HTTP, and not nginx's bare headers either; or not all of it. */
export class InvalidReply extends Error {
  override name = "InvalidReply";
}

/**
 * Reads a head line by line. Line ends are CRLF or LF, and the status line may be missing, as nginx allows;
 * of a repeated header the last one counts, but an `Auth-Status` that refuses stays refused, and
 * `Cache-Control` is a list (RFC 9110 section 5.3).
 */
export class HeadReader {
  #status: { readonly code: number; readonly version: string } | null = null;
  readonly #fields = new Map<string, ByteString>();
  #refusal: ByteString | null = null;
  #waits = false;
  #size = 0;
  readonly #unescape: boolean;

  /** @param unescape whether login and password are escaped, as they are in requests */
  constructor(unescape: boolean) {
    this.#unescape = unescape;
  }

  /**
   * @returns null while the empty line has not come
   * @throws InvalidReply, or TooLong beyond 16 KiB
   */
  next(input: Input): Head | null {
    for (;;) {
      const line = input.line(LONGEST_HEAD - this.#size);
      if (line === null) return null;
      this.#size += line.length;
      const text = line.replace(/\r?\n$/, "");
      if (text === "" && this.#size > line.length) return this.#head();
      this.#line(text);
    }
  }

  #line(text: ByteString): void {
    if (this.#status === null) {
      const [, version, code] = /^HTTP\/(\d\.\d) (\d{3})(?: |$)/.exec(text) ?? [];
      if (version !== undefined && !text.includes("\r")) {
        this.#status = { code: Number(code), version };
        return;
      }
      if (text.startsWith("HTTP/")) throw new InvalidReply("sent invalid response");
      this.#status = { code: 200, version: "1.0" };
    }
    const colon = text.indexOf(":");
    const name = trimBlanks(colon === -1 ? text : text.slice(0, colon));
    const value = colon === -1 ? "" : trimBlanks(text.slice(colon + 1).replace(/^[ \t]+/, ""));
    if (!TOKEN.test(name) || value.includes("\r")) {
      throw new InvalidReply("sent invalid header in response");
    }
    const field = name.toLowerCase();
    // For whoever reads the headers alone.
    if (field === "auth-status" && value === STATUS_OK && this.#refusal !== null) return;
    const earlier = field === "cache-control" ? this.#fields.get(field) : undefined;
    this.#fields.set(field, earlier === undefined ? value : `${earlier}, ${value}`);
    if (field !== "auth-status" || value === STATUS_OK) return;
    if (value === "WAIT") this.#waits = true;
    else this.#refusal = value;
  }

  #head(): Head {
    const { code, version } = this.#status ?? { code: 200, version: "1.0" };
    const length = this.#fields.get("content-length") ?? "";
    const chunked = this.#fields.has("transfer-encoding");
    const connection = this.#fields.get("connection")?.toLowerCase() ?? "";
    const bodiless = code === 204 || code === 304;
    return {
      answer: this.#answer(code),
      status: code,
      fields: this.#fields,
      body: bodiless ? 0 : chunked || !/^\d{1,9}$/.test(length) ? null : Number(length),
      keepAlive: version === "1.1" ? connection !== "close" : connection === "keep-alive",
    };
  }

  /** Only a 2xx with exactly `OK` is a yes; nginx ignores the status, and takes silence for a yes. */
  #answer(status: number): Answer {
    const errorCode = this.#fields.get("auth-error-code") ?? null;
    const unavailable = (why: string, text: ByteString | null = null): Answer => ({
      kind: "unavailable",
      text,
      errorCode,
      why,
      reached: true,
    });
    const text = this.#refusal;
    const successful = status >= 200 && status <= 299;
    // Without words, only a 2xx is a refusal: an error page has none either.
    if (text !== null && (text !== "" || successful)) {
      if (status >= 500) return unavailable(`answered ${status}: "${text}"`, text);
      return { kind: "refused", text, errorCode, challenge: this.#challenge(), wait: this.#wait() };
    }
    if (!successful) return unavailable(`answered ${status}`);
    if (this.#waits) return { kind: "wait", wait: this.#wait() };
    if (!this.#fields.has("auth-status")) return unavailable("did not send Auth-Status");

    const route = readRoute(this.#fields);
    if (typeof route === "string") return unavailable(route);
    const login = this.#credential("auth-user");
    const password = this.#credential("auth-pass");
    // oxlint-disable-next-line no-control-regex -- they would become commands to the upstream
    if (/[\r\n\0]/.test(`${login}${password}`)) return unavailable("sent control characters");
    const freshness = readFreshness(this.#fields.get("cache-control") ?? "");
    return { kind: "route", route, login, password, freshness, remembered: null };
  }

  #credential(name: string): ByteString | null {
    const value = this.#fields.get(name) ?? null;
    if (value === null || !this.#unescape) return value;
    try {
      return unescapeBytes(value);
    } catch (error) {
      throw new InvalidReply("sent a broken percent-escape", { cause: error });
    }
  }

  /** What is not base64 is not passed on: clients would take it for the end of the exchange. */
  #challenge(): string | null {
    const challenge = this.#fields.get("auth-error-sasl") ?? "";
    return /^[A-Za-z0-9+/]+={0,2}$/.test(challenge) ? challenge : null;
  }

  #wait(): number {
    const seconds = this.#fields.get("auth-wait") ?? "";
    return /^\d{1,9}$/.test(seconds) ? Number(seconds) : 0;
  }
}
