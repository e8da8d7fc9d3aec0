// An endpoint that answers as a test says, when the test says so.
import type { LookupReply } from "../../../proxy/lookup/index.ts";
import type { HttpEndpoint, HttpExchange, HttpReceiver } from "../../../proxy/lookup/http.ts";

export class ScriptedLookup implements HttpExchange {
  cancelled = false;
  readonly #receiver: HttpReceiver;

  constructor(receiver: HttpReceiver) {
    this.#receiver = receiver;
  }

  cancel(): void {
    this.cancelled = true;
  }

  /** @param reply an error stands for none that can be understood */
  answer(reply: LookupReply | Error): void {
    if (this.cancelled) return;
    if (reply instanceof Error) this.#receiver.failed(reply);
    else if (reply.kind === "unavailable" && reply.outage) {
      this.#receiver.failed(new Error(reply.why));
    } else {
      this.#receiver.replied({
        reply,
        status: 200,
        fields: new Map(),
        body: 0,
        keepAlive: true,
      });
    }
  }
}

export class ScriptedEndpoint implements Pick<HttpEndpoint, "ask"> {
  /** The lookups so far. */
  readonly asked: ScriptedLookup[] = [];
  /** Their requests. */
  readonly texts: string[] = [];
  /** Answers at once; null for lookups that wait until they are answered. */
  answers: ((text: string) => LookupReply | Error) | null;

  constructor(answers: ScriptedEndpoint["answers"] = null) {
    this.answers = answers;
  }

  ask(text: string, receiver: HttpReceiver): HttpExchange {
    const lookup = new ScriptedLookup(receiver);
    this.asked.push(lookup);
    this.texts.push(text);
    if (this.answers !== null) lookup.answer(this.answers(text));
    return lookup;
  }
}

export function yes(changes: Partial<LookupReply & { kind: "route" }> = {}): LookupReply {
  return {
    kind: "route",
    route: { servers: [{ host: "127.0.0.1", port: 143 }], tls: null, tlsName: null },
    login: null,
    password: null,
    user: null,
    freshness: { maxAge: 30, staleIfError: 600 },
    remembered: null,
    ...changes,
  };
}

export function no(): LookupReply {
  return { kind: "refused", text: "no", errorCode: null, challenge: null, wait: 0 };
}

/** @param outage false where the endpoint says so itself */
export function cannotTell(outage = true): LookupReply {
  return { kind: "unavailable", text: null, errorCode: null, why: "is away", outage };
}
