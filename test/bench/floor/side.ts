/** One of a session's two sockets, and the way of its bytes to the other. */
import type { Socket } from "node:net";
import { type SocketReader, giveBack, isShared, takeBuffer } from "./buffers.ts";

/** Chunks of this size, so many in a row, make a socket worth a buffer of its own. */
const LARGE = 16_384;
const MANY = 2;

interface SideSocket extends Socket {
  reader?: Side;
}

export interface LineReader {
  /** The text so far of a side, which is then to be emptied as far as it is used. */
  read(side: Side): void;
}

export class Side implements SocketReader {
  readonly socket: SideSocket;
  other: Side | null = null;
  text = "";
  /** The buffer that a busy socket reads into. */
  own: Buffer | null = null;
  /** Null once the login is over. */
  lines: LineReader | null;
  #large = 0;

  constructor(socket: SideSocket, lines: LineReader) {
    this.socket = socket;
    this.lines = lines;
    socket.reader = this;
    socket.on("drain", drained);
    socket.on("end", ended);
    socket.on("error", ignored);
    socket.on("close", closed);
    if ("encrypted" in socket) socket.on("data", data);
  }

  write(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** @returns null without a whole line */
  line(): string | null {
    const end = this.text.indexOf("\r\n");
    if (end === -1) return null;
    const line = this.text.slice(0, end);
    this.text = this.text.slice(end + 2);
    return line;
  }

  received(bytes: Buffer | Uint8Array): void {
    if (this.lines !== null) {
      this.text += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
      this.lines.read(this);
      return;
    }
    const to = this.other?.socket;
    if (to === undefined || to.destroyed) return;
    if (isShared(bytes)) {
      to.write(Buffer.from(bytes));
      this.#large = bytes.length < LARGE ? 0 : this.#large + 1;
      if (this.#large === MANY) this.own = takeBuffer();
    } else to.write(bytes);
    if (to.writableLength === 0) return;
    this.socket.pause();
    // Node emits `drain` only where `write` has returned false.
    // oxlint-disable-next-line no-underscore-dangle -- undocumented
    (to as unknown as { _writableState: { needDrain: boolean } })._writableState.needDrain = true;
  }

  end(): void {
    const { socket } = this;
    if (socket.destroyed) return;
    // TLS owes its close_notify, without which clients do not resume.
    if (socket.writableLength > 0 || "encrypted" in socket) socket.destroySoon();
    else socket.destroy();
  }

  release(): void {
    if (this.own !== null) giveBack(this.own);
    this.own = null;
  }
}

function data(this: SideSocket, bytes: Buffer): void {
  this.reader?.received(bytes);
}
function drained(this: SideSocket): void {
  const from = this.reader?.other?.socket;
  if (from?.isPaused()) from.resume();
}
function ended(this: SideSocket): void {
  this.reader?.end();
}
function closed(this: SideSocket): void {
  this.reader?.release();
  this.reader?.other?.end();
}
function ignored(): void {}
