/** Calls the admin API over HTTP. */
import { setTimeout as delay } from "node:timers/promises";
import { CommandError, UsageError } from "./errors.ts";

export type Json = Readonly<Record<string, unknown>>;

/** ms to wait before each retry of a request that may be made twice. */
const RETRY_DELAYS = [250, 1000, 2000];

class Unreachable extends CommandError {
  override name = "Unreachable";
}

/** ms for a whole response. */
const TIMEOUT = 60_000;

export class Api {
  readonly #base: URL;
  readonly #token: string;

  /**
   * @param url the worker's: `https://postern.example.workers.dev`
   * @throws UsageError if `url` is not a URL, or if the token would go in the clear
   */
  constructor(url: string, token: string) {
    if (!/^https?:/i.test(url) || !URL.canParse(url)) {
      throw new UsageError(`${url} is not a URL such as https://postern.example.workers.dev`);
    }
    this.#base = new URL(url);
    const { protocol, hostname } = this.#base;
    const here = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
    if (protocol !== "https:" && !here) {
      throw new UsageError(`${url} would send the token in the clear; use https`);
    }
    if (!/^[\x21-\x7e]*$/.test(token)) {
      throw new UsageError("the token has characters that no token has; copy it again");
    }
    this.#token = token;
  }

  /** @throws CommandError with the API's sentence; Unreachable where a later try may succeed */
  async call(method: string, path: string, body?: Json): Promise<Json> {
    const { status, answer } = await this.#fetch(method, path, body);
    if (status < 400 && answer !== null) return answer;
    const { origin } = this.#base;
    const sentence = sentenceOf(answer ?? {});
    if (status >= 500) throw new Unreachable(sentence ?? `${origin} answers ${status}`);
    throw new CommandError(
      sentence ?? `${origin} does not answer as Postern's worker does; is the URL right?`,
    );
  }

  /** Calls the API like `call`, and retries while it is out of reach. The request must be safe to repeat. */
  async callWithRetries(method: string, path: string, body?: Json): Promise<Json> {
    for (const wait of RETRY_DELAYS) {
      try {
        return await this.call(method, path, body);
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
      }
      await delay(wait);
    }
    return this.call(method, path, body);
  }

  /** Yields every row of a list, page by page. */
  async *list(path: string, query: Readonly<Record<string, string>> = {}): AsyncGenerator<Json> {
    const search = new URLSearchParams(query);
    for (;;) {
      const page = await this.callWithRetries("GET", `${path}?${search.toString()}`);
      yield* Array.isArray(page["items"]) ? page["items"].map(asObject) : [];
      if (typeof page["next"] !== "string") return;
      search.set("after", page["next"]);
    }
  }

  async #fetch(method: string, path: string, body?: Json) {
    const url = new URL(`/admin/api${path}`, this.#base);
    try {
      const response = await fetch(url, {
        method,
        headers: { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      return { status: response.status, answer: readJson(await response.text()) };
    } catch (error) {
      const sentence = `${this.#base.origin} cannot be reached (${reasonOf(error)})`;
      throw new Unreachable(sentence, { cause: error });
    }
  }
}

/** The error's code, such as `ECONNREFUSED`, or its message where it has no code. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}

/** @returns null for text that is not JSON, and an empty object for no text */
function readJson(text: string): Json | null {
  try {
    return text === "" ? {} : asObject(JSON.parse(text));
  } catch {
    return null;
  }
}

export function asObject(value: unknown): Json {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function sentenceOf({ error }: Json): string | undefined {
  return typeof error === "string" ? error : undefined;
}
