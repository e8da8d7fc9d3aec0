/** A simulated lookup endpoint: each connection answers as the run's choices say. */
import { unescapeBytes } from "../../../../shared/lookup.ts";
import type { SimConnection } from "../connection.ts";
import type { Add, Network, Peer } from "../network.ts";
import type { Users } from "../users.ts";
import type { Attempt } from "./attempt.ts";

/** The state that all connections of the endpoint share. */
export interface Directory {
  /** @returns the attempts that a request may be about: more than one where clients share an account */
  find(login: string, secret: string): readonly Attempt[];
  readonly users: Users;
  /** True where replies name the user and the user's version. */
  readonly namesUsers: boolean;
  /** The codes of the protocol: a refusal and a temporary failure. */
  readonly words: { readonly refusal: string; readonly failure: string; readonly code: string };
  /** The ports of mail servers: in the clear, and under TLS. */
  readonly ports: readonly [number, number];
}

const KINDS = ["no", "no", "failure", "bare failure", "wait", "broken", "cut", "silence"] as const;

export class LookupPeer implements Peer {
  readonly connection: SimConnection;
  readonly #network: Network;
  readonly #directory: Directory;
  #request = "";
  #reply: (() => void) | null = null;

  constructor(network: Network, directory: Directory, connection: SimConnection) {
    this.#network = network;
    this.#directory = directory;
    this.connection = connection;
  }

  options(add: Add): void {
    const { connection } = this;
    if (connection.gone) return;
    const reply = this.#reply;
    if (reply !== null) {
      add(8, () => {
        this.#reply = null;
        reply();
      });
    }
    const { breaks } = this.#network.mishaps;
    add(0.1 * breaks, () => connection.finish());
    add(0.1 * breaks, () => connection.break());
  }

  ready(): void {}
  ended(): void {}

  received(text: string): void {
    this.#request += text;
    if (!this.#request.endsWith("\r\n\r\n")) return;
    const request = this.#request;
    this.#request = "";
    const isRepeated = request.includes("\r\nAuth-Directory-Bookmark: ");
    this.#reply = () => this.#answer(this.#attemptsOf(request), isRepeated);
  }

  #attemptsOf(request: string): readonly Attempt[] {
    const [, login = ""] = /^Auth-User: (.*)\r$/m.exec(request) ?? [];
    const [, secret = ""] = /^Auth-Pass: (.*)\r$/m.exec(request) ?? [];
    const attempts = this.#directory.find(unescapeBytes(login), unescapeBytes(secret));
    if (attempts.length === 0) {
      this.#network.violation(`a lookup for "${login}" and "${secret}", which no client has sent`);
    } else if (attempts.every(({ clear }) => clear) && request.includes("\r\nAuth-SSL: on")) {
      this.#network.violation(`"${login}" was sent in the clear and is looked up under TLS`);
    }
    return attempts;
  }

  #answer(attempts: readonly Attempt[], isRepeated: boolean): void {
    const { choices } = this.#network;
    const kind = choices.below(5) === 4 ? choices.pick(KINDS) : "yes";
    const [attempt] = attempts;
    if (attempt === undefined) return;
    switch (kind) {
      case "yes":
        this.#yes(attempt, isRepeated);
        break;
      case "no": {
        const { refusal, code } = this.#directory.words;
        const wait = choices.pick([0, 0, 1, 7]);
        for (const { refusals } of attempts) refusals.add(wait);
        const challenge = choices.oneIn(2) ? "Auth-Error-SASL: eyJzdGF0dXMiOiI0MDAifQ==\r\n" : "";
        const text = `${refusal} refused!`;
        this.#send(
          200,
          `Auth-Status: ${text}\r\nAuth-Error-Code: ${code}\r\nAuth-Wait: ${wait}\r\n${challenge}`,
        );
        break;
      }
      case "failure":
        this.#send(503, `Auth-Status: ${this.#directory.words.failure} busy\r\n`);
        break;
      case "bare failure":
        this.#send(503, "");
        break;
      case "wait":
        this.#send(200, "Auth-Status: WAIT\r\nAuth-Wait: 2\r\n");
        break;
      case "broken":
        this.#sendText("HTTP/1.1 200 OK\r\n: nonsense\r\n\r\n");
        break;
      case "cut":
        this.#sendText("HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 10.0.0.1\r\n");
        this.connection.finish();
        break;
      case "silence":
        break;
    }
  }

  /** @param isRepeated true where the proxy has a bookmark, which a replica waits for but for a fault of ours */
  #yes(attempt: Attempt, isRepeated: boolean): void {
    const { choices } = this.#network;
    const { users, namesUsers, ports } = this.#directory;
    const user = namesUsers && attempt.method !== "none" ? users.userOf(attempt.login) : null;
    const mayLag = user !== null && user.version > 1;
    const lag = mayLag && choices.oneIn(isRepeated ? 8 : 2) ? 1 : 0;
    const login = choices.oneIn(4) ? `mapped-${attempt.number}` : null;
    const handsOut = attempt.method === "cram-md5" ? choices.below(8) !== 7 : choices.oneIn(6);
    const secret = handsOut ? `hand-${attempt.number}-out` : null;
    if (lag === 0) users.grant(attempt, login ?? attempt.login, secret ?? attempt.secret);
    const tls = choices.pick(["", "", "", "off", "starttls", "tls"]);
    const port = ports[tls === "tls" ? 1 : 0];
    const host = choices.pick(["10.0.0.1", "10.0.0.1", "10.0.0.2", "mail.test"]);
    const lines = [
      "Auth-Status: OK",
      `Auth-Server: ${host}`,
      `Auth-Port: ${port}`,
      ...(login === null ? [] : [`Auth-User: ${login}`]),
      ...(secret === null ? [] : [`Auth-Pass: ${secret}`]),
      ...(user === null
        ? []
        : [`Auth-User-Id: ${user.id}`, `Auth-User-Version: ${user.version - lag}`]),
      ...(tls === "" ? [] : [`Auth-Upstream-TLS: ${tls}`]),
      ...(choices.oneIn(3) ? [`Auth-Fallback: 10.0.0.3:${port}`] : []),
      ...(choices.oneIn(2) ? ["Cache-Control: private, max-age=30, stale-if-error=600"] : []),
    ];
    this.#send(200, `${lines.join("\r\n")}\r\n`);
  }

  #send(status: number, lines: string): void {
    this.#sendText(`HTTP/1.1 ${status} Words\r\n${lines}Content-Length: 0\r\n\r\n`);
  }

  #sendText(text: string): void {
    this.#network.trace(() => `${this.connection.name} sends ${JSON.stringify(text)}`);
    this.connection.send(text);
  }
}
