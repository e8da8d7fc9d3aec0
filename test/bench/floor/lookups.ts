/** Lookups over connections that are kept, each of which has one lookup at a time. */
import { type Socket, connect } from "node:net";

const MOST = 64;

export interface Asker {
  /** @param host empty for a refusal */
  answered(host: string, port: number): void;
}

interface Connection {
  readonly socket: Socket;
  asker: Asker | null;
  text: string;
}

export class LookupClient {
  readonly #port: number;
  readonly #idle: Connection[] = [];
  readonly #waiting: { readonly request: string; readonly asker: Asker }[] = [];
  #count = 0;

  constructor(port: number) {
    this.#port = port;
  }

  ask(user: string, password: string, protocol: string, asker: Asker): void {
    const request =
      "GET /auth HTTP/1.1\r\nHost: localhost\r\nAuth-Method: plain\r\n" +
      `Auth-User: ${user}\r\nAuth-Pass: ${password}\r\nAuth-Protocol: ${protocol}\r\n` +
      "Auth-Login-Attempt: 1\r\nClient-IP: 127.0.0.1\r\n\r\n";
    const connection = this.#idle.pop();
    if (connection !== undefined) send(connection, request, asker);
    else if (this.#count < MOST) send(this.#open(), request, asker);
    else this.#waiting.push({ request, asker });
  }

  #open(): Connection {
    this.#count++;
    const buffer = Buffer.alloc(4096);
    const callback = (length: number): boolean => {
      connection.text += buffer.toString("latin1", 0, length);
      if (connection.text.endsWith("\r\n\r\n")) this.#answered(connection);
      return true;
    };
    const socket = connect({
      host: "127.0.0.1",
      port: this.#port,
      noDelay: true,
      onread: { buffer, callback },
    });
    const connection: Connection = { socket, asker: null, text: "" };
    socket.on("error", () => {});
    socket.on("close", () => this.#closed(connection));
    return connection;
  }

  #answered(connection: Connection): void {
    const { asker, text } = connection;
    connection.asker = null;
    connection.text = "";
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else send(connection, next.request, next.asker);
    const host = field(text, "Auth-Status") === "OK" ? field(text, "Auth-Server") : "";
    asker?.answered(host, Number(field(text, "Auth-Port")));
  }

  #closed(connection: Connection): void {
    this.#count--;
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    connection.asker?.answered("", 0);
  }
}

function send(connection: Connection, request: string, asker: Asker): void {
  connection.asker = asker;
  connection.socket.write(request, "latin1");
}

function field(text: string, name: string): string {
  const start = text.indexOf(`\r\n${name}: `);
  if (start === -1) return "";
  const from = start + name.length + 4;
  return text.slice(from, text.indexOf("\r\n", from));
}
