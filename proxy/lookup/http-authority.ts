/** The authority at an `auth_http` endpoint. */
import { reason } from "../reason.ts";
import type { Answer, Authority, LookupRequest } from "./authority.ts";
import type { Endpoint } from "./endpoint.ts";
import { InvalidReply } from "./reply.ts";
import { type RequestSettings, formatRequest } from "./request.ts";

export class HttpAuthority implements Authority {
  readonly #endpoint: Endpoint;
  readonly #settings: RequestSettings;

  constructor(endpoint: Endpoint, settings: RequestSettings) {
    this.#endpoint = endpoint;
    this.#settings = settings;
  }

  async lookup(request: LookupRequest, signal: AbortSignal): Promise<Answer> {
    try {
      const head = await this.#endpoint.ask(formatRequest(this.#settings, request), signal);
      return head.answer;
    } catch (error) {
      if (signal.aborted) throw error;
      const reached = error instanceof InvalidReply;
      return { kind: "unavailable", text: null, errorCode: null, why: reason(error), reached };
    }
  }
}
