/** The worker's end of the fleet's WebSocket (RFC 6455), for short texts. */
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { PING, PONG } from "../../../shared/fleet.ts";

const TEXT = 0x81;
const CLOSE = 0x88;

export interface LiveServer {
  readonly url: string;
  /** The answer to a handshake; 101 opens the WebSocket. */
  status: number;
  /** True while pings are answered. */
  answering: boolean;
  /** The headers of all requests, with a WebSocket's handshake or without one. */
  readonly requests: readonly IncomingMessage["headers"][];
  /** Waits for that number of requests. */
  requested(times: number): Promise<void>;
  /** The next WebSocket, in the order of the handshakes. */
  accepted(): Promise<LiveConnection>;
  close(): Promise<void>;
}

interface LiveConnection {
  /** The next text, parsed. Pings are left out. */
  next(): Promise<Readonly<Record<string, unknown>>>;
  /** Sends a text, or an object as JSON. */
  send(what: unknown): void;
  /** Destroys the connection. */
  cut(): void;
}

export async function startLiveServer(): Promise<LiveServer> {
  const requests: IncomingMessage["headers"][] = [];
  const news = new EventEmitter();
  const note = ({ headers }: IncomingMessage): void => {
    requests.push(headers);
    news.emit("request");
  };
  const connections = new Queue<LiveConnection>();
  const sockets = new Set<Socket>();
  const server = createServer((request, reply) => {
    note(request);
    reply.writeHead(fleet.status === 101 ? 426 : fleet.status, { "Content-Length": 0 }).end();
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
    note(request);
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    if (fleet.status !== 101) {
      socket.end(`HTTP/1.1 ${fleet.status} no\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const proof = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(proof).digest("base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    connections.add(serve(socket, () => fleet.answering));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const fleet: LiveServer = {
    url: `http://127.0.0.1:${port}/fleet`,
    status: 101,
    answering: true,
    requests,
    async requested(times) {
      while (requests.length < times) await once(news, "request");
    },
    accepted: () => connections.next(),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return fleet;
}

function serve(socket: Socket, answering: () => boolean): LiveConnection {
  const texts = new Queue<string>();
  const send = (text: string): void => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(bytes.length < 126 ? 1 : 3, 126);
    if (bytes.length < 126) length.writeUInt8(bytes.length);
    else length.writeUInt16BE(bytes.length, 1);
    socket.write(Buffer.concat([Buffer.from([TEXT]), length, bytes]));
  };
  let held = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    held = Buffer.concat([held, bytes]);
    for (let frame = readFrame(held); frame !== null; frame = readFrame(held)) {
      held = held.subarray(frame.bytes);
      if (frame.type === CLOSE) socket.end();
      else if (frame.text !== PING) texts.add(frame.text);
      else if (answering()) send(PONG);
    }
  });
  return {
    next: async () => JSON.parse(await texts.next()) as Readonly<Record<string, unknown>>,
    send: (what) => send(typeof what === "string" ? what : JSON.stringify(what)),
    cut: () => void socket.destroy(),
  };
}

/** A client's frames are masked; null until one is whole. */
function readFrame(held: Buffer): { type: number; text: string; bytes: number } | null {
  if (held.length < 2) return null;
  const short = held.readUInt8(1) & 0x7f;
  const start = short === 126 ? 8 : 6;
  if (held.length < start) return null;
  const length = short === 126 ? held.readUInt16BE(2) : short;
  const bytes = start + length;
  if (held.length < bytes) return null;
  const mask = held.subarray(start - 4, start);
  const text = held.subarray(start, bytes).map((byte, index) => byte ^ mask[index % 4]!);
  return { type: held.readUInt8(0), text: Buffer.from(text).toString(), bytes };
}

class Queue<Item> {
  readonly #items: Item[] = [];
  readonly #news = new EventEmitter();

  add(item: Item): void {
    this.#items.push(item);
    this.#news.emit("news");
  }

  async next(): Promise<Item> {
    while (this.#items.length === 0) await once(this.#news, "news");
    return this.#items.shift()!;
  }
}
