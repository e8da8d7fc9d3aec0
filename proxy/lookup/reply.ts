/** A lookup's reply: bytes, split at any place, into a `LookupReply`. */
import {
  type ByteString,
  STATUS_OK,
  USER_ID_HEADER,
  USER_VERSION_HEADER,
  unescapeBytes,
} from "../../shared/lookup.ts";
import { parseUserVersion } from "../../shared/user-version.ts";
import { type Input, MORE, type Script, stripBlanks, trimBlanks } from "../transport/index.ts";
import { readFreshness } from "./freshness.ts";
import { type Accepted, type LookupReply, type Unavailable, unavailable } from "./lookup.ts";
import { readRoute } from "./route.ts";
import { quoted } from "../quoted.ts";

/** Status line and headers together, bytes; nginx stops at 1,024. */
export const LONGEST_HEAD = 16_384;

/** Status line and headers of a reply. */
export interface ReplyHead {
  readonly reply: LookupReply;
  readonly status: number;
  /** Headers by their names in lower case. */
  readonly fields: ReadonlyMap<string, ByteString>;
  /** Bytes of a body that follows and is ignored; null where only the connection's end shows its end. */
  readonly body: number | null;
  readonly keepAlive: boolean;
}

/** Seconds of `Auth-Wait`, beyond which a wrong number would hold sessions for years. nginx waits for any time. */
const LONGEST_WAIT = 3600;

/** RFC 9110 section 15.2.2. */
const SWITCHING_PROTOCOLS = 101;

const USER_ID = USER_ID_HEADER.toLowerCase();
const USER_VERSION = USER_VERSION_HEADER.toLowerCase();

/** RFC 9110 section 5.6.2. */
export const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** The reply is neither HTTP nor nginx's bare headers, or it is not whole. */
export class InvalidReply extends Error {
  override name = "InvalidReply";
}

/**
 * One lookup on the wire: sends the request and reads the reply's head.
 *
 * @param unescape true where login and password are escaped, as in requests
 * @throws InvalidReply, or TooLong beyond 16 KiB
 */
export function* exchange(text: ByteString, input: Input, unescape: boolean): Script<ReplyHead> {
  yield text;
  const reader = new HeadReader(unescape);
  for (;;) {
    const head = reader.next(input);
    if (head !== null) return head;
    yield MORE;
  }
}

/**
 * Reads a head line by line. Line ends are CRLF or LF, and the status line may be missing, as nginx allows.
 * The last of repeated headers counts, but an `Auth-Status` that refuses stays refused, and `Cache-Control` is
 * a list (RFC 9110 section 5.3).
 */
export class HeadReader {
  #status: { readonly code: number; readonly version: string } | null = null;
  readonly #fields = new Map<string, ByteString>();
  #refusal: ByteString | null = null;
  #waits = false;
  #size = 0;
  readonly #unescape: boolean;

  constructor(unescape: boolean) {
    this.#unescape = unescape;
  }

  /** @returns null while the empty line has not come */
  next(input: Input): ReplyHead | null {
    for (;;) {
      const line = input.line(LONGEST_HEAD - this.#size);
      if (line === null) return null;
      this.#size += line.length;
      const text = line.slice(0, line.endsWith("\r\n") ? -2 : -1);
      if (text !== "" || this.#size === line.length) this.#line(text);
      else if (!this.#passInterim()) return this.#head();
    }
  }

  /** Forgets an interim reply (RFC 9110 section 15.2), but for its bytes: the final one follows. 101 is final. */
  #passInterim(): boolean {
    const { code } = this.#status ?? { code: 200 };
    if (code < 100 || code > 199 || code === SWITCHING_PROTOCOLS) return false;
    this.#status = null;
    this.#fields.clear();
    this.#refusal = null;
    this.#waits = false;
    return true;
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
    const value = colon === -1 ? "" : stripBlanks(text.slice(colon + 1));
    if (!TOKEN.test(name) || value.includes("\r")) {
      throw new InvalidReply("sent invalid header in response");
    }
    const field = name.toLowerCase();
    // The relay passes the fields on, so the refusal must stand in them.
    if (field === "auth-status" && value === STATUS_OK && this.#refusal !== null) return;
    // Two lengths make no number, so the connection is not used again (RFC 9112 section 6.3).
    const isList = field === "cache-control" || field === "content-length";
    const earlier = isList ? this.#fields.get(field) : undefined;
    this.#fields.set(field, earlier === undefined ? value : `${earlier}, ${value}`);
    if (field !== "auth-status" || value === STATUS_OK) return;
    if (value === "WAIT") this.#waits = true;
    else this.#refusal = value;
  }

  #head(): ReplyHead {
    const { code, version } = this.#status ?? { code: 200, version: "1.0" };
    const length = this.#fields.get("content-length") ?? "";
    const chunked = this.#fields.has("transfer-encoding");
    const connection = this.#fields.get("connection")?.toLowerCase() ?? "";
    const bodiless = (code === 204 || code === 304) && !chunked && /^0?$/.test(length);
    const unknown = chunked || code === SWITCHING_PROTOCOLS || !/^\d{1,9}$/.test(length);
    return {
      reply: this.#reply(code),
      status: code,
      fields: this.#fields,
      body: bodiless ? 0 : unknown ? null : Number(length),
      keepAlive: version === "1.1" ? connection !== "close" : connection === "keep-alive",
    };
  }

  /** Only a 2xx with exactly `OK` is a yes; nginx ignores the status, and takes a missing `Auth-Status` for a yes. */
  #reply(status: number): LookupReply {
    const text = this.#refusal;
    const successful = status >= 200 && status <= 299;
    // Without words, only a 2xx is a refusal: an error page has none either.
    if (text !== null && (text !== "" || successful)) {
      if (status >= 500) {
        return { ...this.#unavailable(status, `answered ${status}: ${quoted(text)}`), text };
      }
      const errorCode = this.#errorCode;
      return { kind: "refused", text, errorCode, challenge: this.#challenge(), wait: this.#wait() };
    }
    if (!successful) return this.#unavailable(status, `answered ${status}${remedy(status)}`);
    if (this.#waits) return { kind: "wait", wait: this.#wait() };
    if (!this.#fields.has("auth-status")) {
      return this.#unavailable(status, "did not send Auth-Status");
    }
    const accepted = this.#accepted();
    return typeof accepted === "string" ? this.#unavailable(status, accepted) : accepted;
  }

  /** @returns a text for the log where the yes is malformed */
  #accepted(): Accepted | string {
    const fields = this.#fields;
    const route = readRoute(fields);
    if (typeof route === "string") return route;
    const login = this.#credential("auth-user");
    const password = this.#credential("auth-pass");
    if (login === undefined || password === undefined) return "sent a broken percent-escape";
    // oxlint-disable-next-line no-control-regex -- they would become commands to the upstream
    if (/[\r\n\0]/.test(`${login}${password}`)) return "sent control characters";
    const user = parseUserVersion(fields.get(USER_ID), fields.get(USER_VERSION));
    const freshness = readFreshness(fields.get("cache-control") ?? "");
    return { kind: "route", route, login, password, user, freshness, remembered: null };
  }

  /** Any other code is dropped: a client would take `235` for a login, and `535-` for the first line of more. */
  get #errorCode(): string | null {
    const code = this.#fields.get("auth-error-code") ?? "";
    return /^[45]\d\d(?: |$)/.test(code) ? code : null;
  }

  /**
   * A reply with `Auth-Status` is the endpoint's word, whatever its status. A 4xx is one about the request or its key,
   * which no outage explains; a 2xx without `Auth-Status` is a page of something else.
   */
  #unavailable(status: number, why: string): Unavailable {
    const isPage = status >= 500 || (status >= 200 && status <= 299);
    const outage = isPage && !this.#fields.has("auth-status");
    return { ...unavailable(why, outage), errorCode: this.#errorCode };
  }

  /** @returns undefined for a broken escape */
  #credential(name: string): ByteString | null | undefined {
    const value = this.#fields.get(name) ?? null;
    if (value === null || !this.#unescape) return value;
    try {
      return unescapeBytes(value);
    } catch {
      return undefined;
    }
  }

  /** Anything but base64 is dropped: clients would take it for the end of the exchange. */
  #challenge(): string | null {
    const challenge = this.#fields.get("auth-error-sasl") ?? "";
    return /^[A-Za-z0-9+/]+={0,2}$/.test(challenge) ? challenge : null;
  }

  #wait(): number {
    const seconds = this.#fields.get("auth-wait") ?? "";
    return /^\d{1,9}$/.test(seconds) ? Math.min(Number(seconds), LONGEST_WAIT) : 0;
  }
}

/** An endpoint that asks for a key says so by one of these (RFC 9110 section 15.5). */
function remedy(status: number): string {
  return status === 401 || status === 403 ? ' (check the key in "auth_http_header")' : "";
}
