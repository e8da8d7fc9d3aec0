/** A simulated mail program: it says its part, reads the replies, and checks what it is told. */
import type { SimConnection } from "../connection.ts";
import type { Add, Network, Peer } from "../network.ts";
import type { Scenario } from "../scenario.ts";
import { type Attempt } from "./attempt.ts";
import type { Saying } from "./programs.ts";
import { UPSTREAM_MARK } from "./conversations.ts";

/** The codes that make a mail program ask its owner for another password. */
const WRONG_PASSWORD = /AUTHENTICATIONFAILED|\[AUTH\]|^535/;

export class Client implements Peer {
  readonly attempts: Attempt[] = [];
  readonly connection: SimConnection;
  /** All bytes that the client has sent. */
  sent = "";
  /** All bytes that the client has read. */
  read = "";
  /** True once a reply lets the client in. */
  letIn = false;
  readonly #network: Network;
  readonly #scenario: Scenario;
  #sayings: readonly Saying[] = [];
  #next = 0;
  #lines = 0;
  /** The lines read when the client last spoke. */
  #linesBefore = -1;
  /** True while the client waits for the handshake to begin. */
  #secures = false;
  #finished = false;
  #checked = 0;
  /** The probability that the client speaks before it has a reply. */
  readonly #haste: number;

  constructor(network: Network, scenario: Scenario, connection: SimConnection) {
    this.#network = network;
    this.#scenario = scenario;
    this.connection = connection;
    this.#haste = network.choices.pick([0, 0, 1]);
  }

  begin(sayings: readonly Saying[]): void {
    this.#sayings = sayings;
    // The greeting comes first, but for a PROXY header and a handshake.
    if (!this.#scenario.listen.proxyProtocol && sayings[0]?.text !== "") this.#linesBefore = 0;
  }

  options(add: Add): void {
    if (this.#finished || this.connection.gone) return;
    const saying = this.#sayings[this.#next];
    const waits = saying?.waits === true && this.#lines === this.#linesBefore;
    if (this.#secures) add(4, () => this.#hello());
    else if (saying !== undefined) add(waits ? this.#haste : 8, () => this.#say(saying));
    const { breaks } = this.#network.mishaps;
    add(saying === undefined ? 0.3 : 0.2 * breaks, () => this.#finish());
    add(0.2 * breaks, () => this.connection.break());
  }

  #hello(): void {
    this.#secures = false;
    this.connection.hello();
  }

  #say({ text, attempt, secures }: Saying): void {
    this.#next++;
    this.#linesBefore = this.#lines;
    this.#network.trace(() => `${this.connection.name} sends ${JSON.stringify(text)}`);
    this.sent += text;
    if (attempt !== null) {
      attempt.clear = !this.connection.peerSecured;
      attempt.end = this.sent.length;
    }
    this.connection.send(text);
    this.#secures = secures;
  }

  #finish(): void {
    this.#finished = true;
    this.connection.finish();
  }

  ready(): void {}
  ended(): void {}

  received(text: string): void {
    this.read += text;
    for (;;) {
      const end = this.read.indexOf("\n", this.#checked);
      if (end === -1) return;
      this.#lines++;
      const line = this.read.slice(this.#checked, end);
      this.#checked = end + 1;
      if (!this.letIn) this.#check(line);
    }
  }

  /** Bytes that the upstream sent behind its reply. */
  get relayed(): string {
    const at = this.read.indexOf(UPSTREAM_MARK);
    return at === -1 ? "" : this.read.slice(at);
  }

  #check(line: string): void {
    if (this.#letsIn(line)) this.letIn = true;
    if (!WRONG_PASSWORD.test(line)) return;
    const refused =
      line.includes("refused!") && this.attempts.some(({ refusals }) => refusals.size > 0);
    const passed = this.#scenario.settings.proxy_pass_error_message && line.includes("upstream-no");
    if (!refused && !passed) {
      this.#network.violation(`a client is told "${line.trim()}", though no lookup refused it`);
    }
  }

  #letsIn(line: string): boolean {
    switch (this.#scenario.protocol.name) {
      case "imap":
        return line.startsWith("a OK");
      case "pop3":
        return line.startsWith("+OK granted");
      case "smtp":
        return line.startsWith("235");
    }
  }
}
