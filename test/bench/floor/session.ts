/** A session: serves the login, and then passes bytes between two sockets. */
import { type Socket, connect } from "node:net";
import { READING } from "./buffers.ts";
import type { LookupClient } from "./lookups.ts";
import { type LineReader, Side } from "./side.ts";

const LOGIN = /^(\S+) LOGIN "?([^" ]+)"? "?([^" ]+)"?$/i;

export class Session implements LineReader {
  readonly #client: Side;
  readonly #protocol: "imap" | "pop3";
  readonly #lookups: LookupClient;
  #upstream: Side | null = null;
  #tag = "";
  #user = "";
  #password = "";
  /** Lines of the upstream to wait for before the login is over. */
  #awaited = 0;
  #asked = false;

  constructor(socket: Socket, protocol: "imap" | "pop3", lookups: LookupClient) {
    this.#client = new Side(socket, this);
    this.#protocol = protocol;
    this.#lookups = lookups;
  }

  greet(): void {
    this.#client.write(this.#protocol === "imap" ? "* OK IMAP4 ready\r\n" : "+OK POP3 ready\r\n");
  }

  read(side: Side): void {
    if (side === this.#client) this.#readClient();
    else this.#readUpstream(side);
  }

  #readClient(): void {
    while (!this.#asked) {
      const line = this.#client.line();
      if (line === null) return;
      const login = this.#protocol === "imap" ? this.#imap(line) : this.#pop3(line);
      if (!login) continue;
      this.#asked = true;
      this.#lookups.ask(this.#user, this.#password, this.#protocol, this);
    }
  }

  #imap(line: string): boolean {
    const found = LOGIN.exec(line);
    if (found === null) {
      this.#client.write("* BAD\r\n");
      return false;
    }
    [, this.#tag = "", this.#user = "", this.#password = ""] = found;
    return true;
  }

  #pop3(line: string): boolean {
    if (line.startsWith("PASS ")) {
      this.#password = line.slice(5);
      return true;
    }
    if (line.startsWith("USER ")) this.#user = line.slice(5);
    this.#client.write("+OK\r\n");
    return false;
  }

  /** The lookup's answer; an empty host for a refusal. */
  answered(host: string, port: number): void {
    if (host === "" || this.#client.socket.destroyed) {
      this.#client.end();
      return;
    }
    const socket = connect({ ...READING, host, port, noDelay: true });
    const upstream = new Side(socket, this);
    upstream.other = this.#client;
    this.#client.other = upstream;
    this.#upstream = upstream;
    this.#awaited = this.#protocol === "imap" ? 2 : 3;
  }

  #readUpstream(upstream: Side): void {
    const line = upstream.line();
    if (line === null) return;
    this.#awaited--;
    if (this.#awaited > 0) {
      upstream.write(this.#nextCommand());
      return;
    }
    const client = this.#client;
    client.lines = null;
    upstream.lines = null;
    client.write(`${line}\r\n${upstream.text}`);
    if (client.text !== "") this.#upstream?.write(client.text);
    client.text = "";
    upstream.text = "";
  }

  #nextCommand(): string {
    if (this.#protocol === "imap") return `${this.#tag} LOGIN ${this.#user} ${this.#password}\r\n`;
    return this.#awaited === 2 ? `USER ${this.#user}\r\n` : `PASS ${this.#password}\r\n`;
  }
}
