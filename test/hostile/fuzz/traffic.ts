/** Traffic over real sockets: clients, a lookup endpoint and mail servers that make mistakes. */
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ProtocolName } from "../../../shared/lookup.ts";
import type { Choices } from "../explorer/choices.ts";
import { CONVERSATIONS, GREETINGS, INJECTED } from "../explorer/peers/conversations.ts";
import type { Saying } from "../explorer/peers/programs.ts";
import type { Mistakes } from "./mutation.ts";

/** ms that a client waits for a reply, for a handshake, and before it leaves. */
const PATIENCE = 40;

export interface Traffic {
  readonly choices: Choices;
  /** Makes mistakes in a text, or none. */
  readonly mistakes: Mistakes;
}

/** Writes a text in pieces, as a network would deliver it. */
async function writeInPieces(socket: Socket, text: string, { choices }: Traffic): Promise<void> {
  for (let left = text; left !== "" && socket.writable;) {
    const count = choices.oneIn(4) ? 1 + choices.below(left.length) : left.length;
    socket.write(left.slice(0, count), "latin1");
    left = left.slice(count);
    if (left !== "") await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Leaves in one of three ways, or stays until the other side ends the connection. */
function leave(socket: Socket, { choices }: Traffic): void {
  const how = choices.below(5);
  if (how === 0) socket.resetAndDestroy();
  else if (how === 1) socket.destroy();
  else if (how !== 2) socket.end();
}

/**
 * One client: says its part, and leaves.
 *
 * @returns once the connection is closed
 */
export async function runClient(
  port: number,
  sayings: readonly Saying[],
  traffic: Traffic,
): Promise<void> {
  const clear = connect({ port, host: "127.0.0.1", noDelay: true });
  clear.on("error", () => {});
  await once(clear, "connect");
  const closed = new Promise((resolve) => clear.once("close", resolve));
  let socket: Socket = clear;
  socket.resume();
  for (const { text, waits, secures } of sayings) {
    if (waits) await orPatience(socket, "data");
    await writeInPieces(socket, traffic.mistakes(text), traffic);
    if (!secures || socket.destroyed) continue;
    await orPatience(socket, "data");
    if (socket.destroyed) break;
    socket = connectTls({ socket: clear, rejectUnauthorized: false });
    socket.on("error", () => clear.destroy());
    socket.resume();
    await orPatience(socket, "secureConnect");
  }
  await orPatience(socket, "data");
  leave(clear, traffic);
  await closed;
}

/** Waits for an event, or for as long as a client does. */
async function orPatience(socket: Socket, event: string): Promise<void> {
  try {
    await once(socket, event, { signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    // The other side is silent, or has broken the connection.
  }
}

/** A server on loopback that ends with a test. */
export class Endpoint {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(serve: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
      socket.once("end", () => socket.end());
      serve(socket);
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** @param reply the right reply to a request */
export function lookupEndpoint(reply: (request: string) => string, traffic: Traffic): Endpoint {
  return new Endpoint((socket) => {
    let request = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      request += text;
      if (!request.endsWith("\r\n\r\n")) return;
      const answer = traffic.mistakes(reply(request));
      request = "";
      if (traffic.choices.oneIn(30)) return;
      if (traffic.choices.oneIn(30)) socket.resetAndDestroy();
      else void writeInPieces(socket, answer, traffic);
    });
  });
}

/** @param accepts the server's judgement of an account */
export function mailServer(
  protocol: ProtocolName,
  accepts: (login: string, secret: string) => boolean,
  traffic: Traffic,
): Endpoint {
  return new Endpoint((socket) => {
    const { choices } = traffic;
    const conversation = CONVERSATIONS[protocol]({ accepts, acceptsNone: () => {} });
    conversation.next();
    let held = "";
    let relays = false;
    const say = (text: string): void => {
      if (choices.oneIn(40)) socket.resetAndDestroy();
      else void writeInPieces(socket, traffic.mistakes(text), traffic);
    };
    say(choices.pick(GREETINGS[protocol]));
    socket.setEncoding("latin1").on("data", (text: string) => {
      if (relays) {
        socket.write("more of the mailbox\r\n");
        if (choices.oneIn(3)) socket.end();
        return;
      }
      held += text;
      const lines = held.split("\r\n");
      held = lines.pop() ?? "";
      for (const line of lines) {
        const reply = conversation.next(line).value;
        if (!reply || reply.text === "") continue;
        relays = reply.text.includes("granted");
        say(reply.tls === true ? reply.text + INJECTED[protocol] : reply.text);
      }
    });
  });
}
