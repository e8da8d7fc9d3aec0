// A responder that answers as a test says, when it says so.
import type { Answer, Responder } from "../../proxy/lookup/index.ts";

export type Asked = {
  readonly signal: AbortSignal;
  readonly answer: (answer: Answer) => void;
};

export class ScriptedResponder implements Responder {
  /** All questions so far. */
  readonly asked: Asked[] = [];
  /** Answers at once; null for questions that wait until they are answered. */
  answers: ((text: string) => Answer) | null;

  constructor(answers: ((text: string) => Answer) | null = null) {
    this.answers = answers;
  }

  ask(text: string, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.asked.push({ signal, answer: resolve });
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    if (this.answers !== null) resolve(this.answers(text));
    return promise;
  }
}

export function yes(changes: Partial<Answer & { kind: "route" }> = {}): Answer {
  return {
    kind: "route",
    route: { servers: [{ host: "127.0.0.1", port: 143 }], tls: null, tlsName: null },
    login: null,
    password: null,
    freshness: { maxAge: 30, staleIfError: 600 },
    remembered: null,
    ...changes,
  };
}

export function no(): Answer {
  return { kind: "refused", text: "no", errorCode: null, challenge: null, wait: 0 };
}

/** @param reached whether it has said so itself */
export function cannotTell(reached = false): Answer {
  return { kind: "unavailable", text: null, errorCode: null, why: "is away", reached };
}
