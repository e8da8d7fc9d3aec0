/** Answers from an `auth_http` endpoint. */
import type { ByteString } from "../../shared/lookup.ts";
import { reason } from "../reason.ts";
import type { Answer, Responder } from "./authority.ts";
import type { Endpoint } from "./endpoint.ts";
import { InvalidReply } from "./reply.ts";

export class HttpResponder implements Responder {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async ask(text: ByteString, signal: AbortSignal): Promise<Answer> {
    try {
      return (await this.#endpoint.ask(text, signal)).answer;
    } catch (error) {
      if (signal.aborted) throw error;
      const reached = error instanceof InvalidReply;
      return { kind: "unavailable", text: null, errorCode: null, why: reason(error), reached };
    }
  }
}
