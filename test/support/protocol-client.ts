// A mail client without sockets: it sends bytes to a protocol handler and collects the steps.
import type { ServerSettings } from "../../proxy/config/index.ts";
import { type Step, protocols } from "../../proxy/protocols/index.ts";
import { Input } from "../../proxy/transport/index.ts";
import type { ProtocolName } from "../../shared/lookup.ts";
import { serverSettings } from "./settings.ts";

export class ProtocolClient {
  readonly handler;
  readonly #input = new Input();
  /** No more is said behind a farewell or STARTTLS. */
  #over = false;

  constructor(settings: ServerSettings, secure: boolean) {
    this.handler = protocols[settings.protocol].open(settings, secure);
  }

  /** Sends bytes as they are, and returns the steps that they complete. */
  send(bytes: string): Step[] {
    if (this.#over) return [];
    if (bytes !== "") this.#input.append(Buffer.from(bytes, "latin1"));
    const steps: Step[] = [];
    for (;;) {
      const step = this.handler.next(this.#input);
      if (step === null) return steps;
      steps.push(step);
      this.#over = step.kind !== "reply" && step.kind !== "login";
      // Like a session, which asks for no more before the login is decided.
      if (this.#over || (step.kind === "login" && this.#input.length === 0)) return steps;
    }
  }

  /** Sends one line, and returns its one step, told as a word or two. */
  say(line: string): string {
    return this.send(`${line}\r\n`).map(told).join(" & ");
  }

  /** TLS begins. */
  secure(): void {
    this.#over = false;
    this.handler.secured();
  }

  /** Bytes that arrived and are not understood yet. */
  get held(): number {
    return this.#input.length;
  }
}

/** Opens a conversation in the clear. */
export function clearClient(
  protocol: ProtocolName,
  changes: Partial<ServerSettings> = {},
): ProtocolClient {
  return new ProtocolClient(serverSettings(protocol, changes), false);
}

/** Opens one under TLS. */
export function tlsClient(
  protocol: ProtocolName,
  changes: Partial<ServerSettings> = {},
): ProtocolClient {
  return new ProtocolClient(serverSettings(protocol, changes), true);
}

/** What the log is told with each of these steps. */
export function notes(steps: readonly Step[]): (string | undefined)[] {
  return steps.map((step) => ("note" in step ? step.note : undefined));
}

/** A step as a test may write it: the reply without its last CRLF, and what follows, if anything does. */
export function told(step: Step): string {
  switch (step.kind) {
    case "reply":
      return step.text.replace(/\r\n$/, "");
    case "farewell":
    case "refusal":
      return `${step.text.replace(/\r\n$/, "")} <close>`;
    case "starttls":
      return `${step.text.replace(/\r\n$/, "")} <tls>`;
    case "login": {
      const { method, ...facts } = step.credentials;
      const { salt: _, ...shown } = { salt: "", ...facts };
      return `<${[method, ...Object.values(shown)].join("|")}>`;
    }
  }
}
