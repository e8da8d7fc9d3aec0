// One mail program at one of the proxies' ports.
import { type Socket, connect } from "node:net";
import {
  type ConnectionOptions,
  type SecureContext,
  connect as connectTls,
  createSecureContext,
} from "node:tls";

/** How a client comes in; `resumed` resumes the TLS session of the connection before. */
export type Security = "clear" | "tls" | "resumed";

export type ProtocolName = "imap" | "pop3" | "smtp";

/** A line to send, and how the line begins that ends the answer. */
type Step = readonly [line: string, answer: string];

type Script = {
  readonly greeting: string;
  readonly login: readonly Step[];
  readonly exchange: Step;
  readonly logout: Step;
};

const scripts: Readonly<Record<ProtocolName, Script>> = {
  imap: {
    greeting: "* OK",
    login: [["1 LOGIN alice@example.test wonderland\r\n", "1 OK"]],
    exchange: ["2 NOOP\r\n", "2 OK"],
    logout: ["3 LOGOUT\r\n", "3 OK"],
  },
  pop3: {
    greeting: "+OK",
    login: [
      ["USER alice@example.test\r\n", "+OK"],
      ["PASS wonderland\r\n", "+OK"],
    ],
    exchange: ["NOOP\r\n", "+OK"],
    logout: ["QUIT\r\n", "+OK"],
  },
  smtp: {
    greeting: "220 ",
    login: [
      ["EHLO client.example.test\r\n", "250 "],
      [`AUTH PLAIN ${btoa("\0alice@example.test\0wonderland")}\r\n`, "235 "],
    ],
    exchange: ["NOOP\r\n", "250 "],
    logout: ["QUIT\r\n", "221 "],
  },
};

/** The same TLS for both proxies, whatever else their OpenSSL could do: 1.3, and no post-quantum keys. */
const context: SecureContext = createSecureContext({
  minVersion: "TLSv1.3",
  ecdhCurve: "X25519:P-256",
});

const CHUNK = Buffer.alloc(65_536, "0123456789abcdef");

export class Client {
  readonly #port: number;
  readonly #script: Script;
  readonly #security: Security;
  #session: Buffer | undefined;
  #socket: Socket | undefined;
  #received = "";
  /** Bytes of a download that are still to come; while any are, nothing is a line. */
  #counting = 0;
  #awaited = "";
  #heard: () => void = () => {};
  #broken: (error: Error) => void = () => {};

  constructor(port: number, protocol: ProtocolName, security: Security) {
    this.#port = port;
    this.#script = scripts[protocol];
    this.#security = security;
  }

  /** A complete session. @returns ms from the connect to the login's yes */
  async session(): Promise<number> {
    const start = performance.now();
    await this.logIn();
    const took = performance.now() - start;
    await this.exchange();
    await this.logOut();
    return took;
  }

  async logIn(): Promise<void> {
    const { greeting, login } = this.#script;
    const greeted = this.#hear(greeting);
    const socket = this.#security === "clear" ? this.#connect() : this.#connectTls();
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.#broken(error));
    socket.on("end", () => this.#broken(new Error(`closed early: ${this.#received}`)));
    await greeted;
    for (const [line, answer] of login) await this.#say(line, answer);
  }

  exchange(): Promise<void> {
    return this.#say(...this.#script.exchange);
  }

  async logOut(): Promise<void> {
    await this.#say(...this.#script.logout);
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.removeAllListeners("end");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.end();
    await closed;
  }

  async download(bytes: number): Promise<void> {
    this.#counting = bytes;
    const done = this.#hear("");
    this.#socket?.write(`x DOWN ${bytes}\r\n`);
    await done;
  }

  async upload(bytes: number): Promise<void> {
    await this.#say(`x UP ${bytes}\r\n`, "x GO");
    const done = this.#hear("x OK");
    let rest = bytes;
    const more = (): void => {
      while (rest > 0) {
        const chunk = rest >= CHUNK.length ? CHUNK : CHUNK.subarray(0, rest);
        rest -= chunk.length;
        if (!this.#socket?.write(chunk)) break;
      }
      if (rest > 0) this.#socket?.once("drain", more);
    };
    more();
    await done;
  }

  /** Goes without a word. */
  drop(): void {
    this.#socket?.removeAllListeners("end");
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(): Socket {
    return connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
  }

  #connectTls(): Socket {
    const session = this.#security === "resumed" ? this.#session : undefined;
    const options: ConnectionOptions = {
      port: this.#port,
      host: "127.0.0.1",
      secureContext: context,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(session === undefined ? {} : { session }),
    };
    const socket = connectTls(options);
    socket.setNoDelay(true);
    if (this.#security === "resumed") socket.on("session", (ticket) => (this.#session = ticket));
    socket.once("secureConnect", () => {
      if (socket.isSessionReused() !== (session !== undefined)) {
        this.#broken(new Error("the TLS session was not as full, or as resumed, as it should be"));
      }
    });
    return socket;
  }

  #say(line: string, answer: string): Promise<void> {
    const heard = this.#hear(answer);
    this.#socket?.write(line, "latin1");
    return heard;
  }

  #hear(answer: string): Promise<void> {
    this.#awaited = answer;
    return new Promise((resolve, reject) => {
      this.#heard = resolve;
      this.#broken = reject;
    });
  }

  #take(chunk: Buffer): void {
    if (this.#counting > 0) {
      this.#counting -= chunk.length;
      if (this.#counting === 0) this.#heard();
      return;
    }
    this.#received += chunk.toString("latin1");
    if (!this.#received.endsWith("\n")) return;
    const last = this.#received.lastIndexOf("\n", this.#received.length - 2) + 1;
    if (!this.#received.startsWith(this.#awaited, last)) return;
    this.#received = "";
    this.#heard();
  }
}
