// One lookup endpoint, one upstream and one name server behind both proxies, for all scripts at once. The client of each
// session has an address of its own, which tells whose lookup it is; the upstream of the session has the same address.
import type { Socket } from "node:net";
import { never } from "../../support/peers/lookup-endpoint.ts";
import { Listener } from "../../support/peers/mailbox/listener.ts";
import { type NameServer, startNameServer } from "../../support/peers/name-server.ts";
import { run, Wire } from "../../support/peers/wire.ts";
import { lines } from "./client.ts";
import { type Script, yes } from "./script.ts";
import { records } from "./topics/hosts.ts";
import { serve } from "./upstream.ts";

/** Addresses that `enter` gives to sessions. */
const SESSION_ADDRESS = /\b127\.[1-9]\d*\.\d+\.\d+\b/;

/** Records the lookups and upstream connections that one session causes. */
class SessionBackend {
  readonly address: string;
  readonly #script: Script;
  readonly #connections: { bytes: string; readonly closed: Promise<void> }[] = [];
  /** The lines of each request. */
  readonly lookups: string[][] = [];

  constructor(address: string, script: Script) {
    this.address = address;
    this.#script = script;
  }

  answer(request: string): string {
    this.lookups.push(lines("", request));
    const answers = this.#script.lookup ?? [yes()];
    return answers[this.lookups.length - 1] ?? answers.at(-1) ?? yes();
  }

  connected(socket: Socket): void {
    const closed = new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
    });
    const connection = { bytes: "", closed };
    this.#connections.push(connection);
    const wire = new Wire(socket);
    socket.on("data", (text: string) => (connection.bytes += text));
    run(wire, () => serve(wire, this.#script.server.protocol, this.#script.upstream ?? {}));
  }

  /** Waits for the end of all connections; returns the lines that each of them brought. */
  async upstreams(): Promise<string[][]> {
    await Promise.all(this.#connections.map(({ closed }) => closed));
    return this.#connections.map(({ bytes }) => lines("", bytes));
  }
}

export type { SessionBackend };

export class Backends {
  readonly #sessions = new Map<string, SessionBackend>();
  readonly #upstream = new Listener("0.0.0.0");
  readonly #endpoint = new Listener("127.0.0.1");
  #nameServer: NameServer | null = null;
  #count = 0;

  async open(): Promise<void> {
    this.#upstream.on("connection", (socket) => {
      this.#sessions.get(socket.localAddress ?? "")?.connected(socket);
    });
    this.#endpoint.on("connection", (socket) => this.#asked(socket));
    await this.#upstream.listen(0);
    await this.#endpoint.listen(0);
    this.#nameServer = await startNameServer(records);
  }

  /** For `auth_http`. */
  get authHttp(): string {
    return `http://127.0.0.1:${this.#endpoint.port}/auth`;
  }

  /** For `resolver`. */
  get nameServer(): string {
    return this.#nameServer?.address ?? "";
  }

  enter(script: Script): SessionBackend {
    const number = this.#count++;
    const address = `127.${1 + (number >> 14)}.${(number >> 7) & 127}.${1 + (number & 127)}`;
    const session = new SessionBackend(address, script);
    this.#sessions.set(address, session);
    return session;
  }

  leave(session: SessionBackend): void {
    this.#sessions.delete(session.address);
  }

  async close(): Promise<void> {
    await this.#upstream.close();
    await this.#endpoint.close();
    await this.#nameServer?.close();
  }

  /** Answers lookups. An answer without Content-Length ends with the connection. */
  #asked(socket: Socket): void {
    const wire = new Wire(socket);
    let held = "";
    socket.on("data", (text: string) => (held += text));
    run(wire, async () => {
      for (let more = true; more;) {
        while ((await wire.line()) !== "");
        const length = held.indexOf("\n\r\n") + 3;
        const answer = await this.#answer(held.slice(0, length));
        held = held.slice(length);
        wire.write(answer);
        more = /^content-length:/im.test(answer);
      }
    });
  }

  #answer(request: string): string | Promise<string> {
    const [, headers = ""] = /^Host: [^\n]*\n([^]*)/m.exec(request) ?? [];
    const session = this.#sessions.get(SESSION_ADDRESS.exec(headers)?.[0] ?? "");
    if (session === undefined) throw new Error(`a lookup that belongs to no session: ${request}`);
    const answer = session.answer(request);
    if (answer === "") return never();
    return answer
      .replaceAll("UPSTREAM_HOST", session.address)
      .replaceAll("UPSTREAM_PORT", `${this.#upstream.port}`);
  }
}
