/** The worker's end of the fleet's live line, as a test plays it: a WebSocket (RFC 6455) of short texts. */
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { PING, PONG } from "../../shared/fleet.ts";

const TEXT = 0x81;
const CLOSE = 0x88;

export interface LineServer {
  readonly url: string;
  /** What opens a line is answered with this status; 101 lets it be opened. */
  status: number;
  /** Whether pings are answered. */
  answering: boolean;
  /** The headers of all that came for a line, or asked why they got none. */
  readonly asked: readonly IncomingMessage["headers"][];
  /** Waits until so many have. */
  askedTimes(times: number): Promise<void>;
  /** The next line that is opened, in their order. */
  accepted(): Promise<ServerLine>;
  close(): Promise<void>;
}

interface ServerLine {
  /** The next text but pings, parsed. */
  next(): Promise<Readonly<Record<string, unknown>>>;
  /** Objects go as JSON. */
  say(what: unknown): void;
  /** Breaks it off. */
  cut(): void;
}

export async function startLineServer(): Promise<LineServer> {
  const asked: IncomingMessage["headers"][] = [];
  const news = new EventEmitter();
  const note = ({ headers }: IncomingMessage): void => {
    asked.push(headers);
    news.emit("asked");
  };
  const lines = new Queue<ServerLine>();
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
    lines.add(serve(socket, () => fleet.answering));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const fleet: LineServer = {
    url: `http://127.0.0.1:${port}/fleet`,
    status: 101,
    answering: true,
    asked,
    async askedTimes(times) {
      while (asked.length < times) await once(news, "asked");
    },
    accepted: () => lines.next(),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return fleet;
}

function serve(socket: Socket, answering: () => boolean): ServerLine {
  const texts = new Queue<string>();
  const say = (text: string): void => {
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
      else if (answering()) say(PONG);
    }
  });
  return {
    next: async () => JSON.parse(await texts.next()) as Readonly<Record<string, unknown>>,
    say: (what) => say(typeof what === "string" ? what : JSON.stringify(what)),
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
