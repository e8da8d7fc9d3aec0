// A mail client without sockets: it sends bytes to a protocol handler and collects the steps.
import type { ServerSettings } from "../../../proxy/config/index.ts";
import { type Protocol, type Step, configureProtocol } from "../../../proxy/protocols/index.ts";
import { Input } from "../../../proxy/transport/index.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { serverSettings } from "./settings.ts";

export class ProtocolClient {
  readonly handler;
  readonly #input = new Input();
  /** True after a farewell or STARTTLS, when the handler reads nothing more. */
  #over = false;

  constructor(protocol: Protocol, secure: boolean) {
    this.handler = protocol.open(secure);
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
      // A session too asks for nothing more before the login is decided.
      if (this.#over || (step.kind === "login" && this.#input.length === 0)) return steps;
    }
  }

  /** Sends one line, and returns its steps in short. */
  say(line: string): string {
    return this.send(`${line}\r\n`).map(inShort).join(" & ");
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

/** A client in the clear. */
export function clearClient(
  protocol: ProtocolName,
  changes: Partial<ServerSettings> = {},
): ProtocolClient {
  return new ProtocolClient(configureProtocol(serverSettings(protocol, changes)), false);
}

/** A client under TLS. */
export function tlsClient(
  protocol: ProtocolName,
  changes: Partial<ServerSettings> = {},
): ProtocolClient {
  return new ProtocolClient(configureProtocol(serverSettings(protocol, changes)), true);
}

/** The notes of steps, for the log. */
export function notes(steps: readonly Step[]): (string | undefined)[] {
  return steps.map((step) => ("note" in step ? step.note : undefined));
}

/** A step in short: its reply without the last CRLF, and what follows the reply. */
export function inShort(step: Step): string {
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
