/** The admin API, called over HTTP. */
import { setTimeout as delay } from "node:timers/promises";
import { Failure, Misuse } from "./failure.ts";

type Json = Readonly<Record<string, unknown>>;

/** ms to wait before each further try of a request that may be made twice. */
const PATIENCE = [250, 1000, 2000];

class OutOfReach extends Failure {
  override name = "OutOfReach";
}

/** ms until an answer must be there. */
const TIMEOUT = 60_000;

export class Api {
  readonly #base: URL;
  readonly #token: string;

  /**
   * @param url of the worker: `https://postern.example.workers.dev`
   * @throws Misuse if the token would go in the clear
   */
  constructor(url: string, token: string) {
    if (!URL.canParse(url)) throw new Misuse(`${url} is no URL`);
    this.#base = new URL(url);
    const { protocol, hostname } = this.#base;
    const here = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
    if (protocol !== "https:" && !(protocol === "http:" && here)) {
      throw new Misuse(`${url} would carry the token in the clear; use https`);
    }
    this.#token = token;
  }

  /** @throws Failure with the API's sentence; OutOfReach if it gives none now, but may later */
  async call(method: string, path: string, body?: Json): Promise<Json> {
    const { status, answer } = await this.#fetch(method, path, body);
    if (status < 400) return answer;
    const sentence = sentenceOf(answer) ?? `${this.#base.origin} answers ${status}`;
    throw status < 500 ? new Failure(sentence) : new OutOfReach(sentence);
  }

  /** Likewise, for what may be done twice: tries again while the API is out of reach. */
  async persist(method: string, path: string, body?: Json): Promise<Json> {
    for (const wait of PATIENCE) {
      try {
        return await this.call(method, path, body);
      } catch (error) {
        if (!(error instanceof OutOfReach)) throw error;
      }
      await delay(wait);
    }
    return this.call(method, path, body);
  }

  /** Every row of a list, page by page. */
  async *list(path: string, query: Readonly<Record<string, string>> = {}): AsyncGenerator<Json> {
    const search = new URLSearchParams(query);
    for (;;) {
      const page = await this.persist("GET", `${path}?${search.toString()}`);
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
      throw new OutOfReach(`${this.#base.origin} cannot be reached`, { cause: error });
    }
  }
}

function readJson(text: string): Json {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return {};
  }
}

export function asObject(value: unknown): Json {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function sentenceOf({ error }: Json): string | undefined {
  return typeof error === "string" ? error : undefined;
}
