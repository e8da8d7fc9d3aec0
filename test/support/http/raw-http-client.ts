// An HTTP client that sends any bytes. fetch refuses most of those that a hostile client would send.
import { once } from "node:events";
import { connect } from "node:net";
import { Wire } from "../peers/wire.ts";

/** Text is one character a byte. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  /** In the order in which they are sent, as often as they are here. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export interface RawAnswer {
  readonly status: number;
  /** Header values by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The size of status line and headers. */
  readonly bytes: number;
}

/** Asks one thing after the other, over one connection for as long as the worker keeps it. */
export class RawCaller {
  readonly #port: number;
  #wire: Wire | null = null;

  /** @param url of the worker */
  constructor(url: string) {
    this.#port = Number(new URL(url).port);
  }

  /** @throws Hangup where there is no answer */
  async ask({ method, target, fields }: RawRequest): Promise<RawAnswer> {
    this.#wire ??= await dial(this.#port);
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
    this.#wire.write(`${method} ${target} HTTP/1.1\r\nHost: worker.test\r\n${lines.join("")}\r\n`);
    const answer = await read(this.#wire, method);
    if (answer.headers["connection"] === "close") this.close();
    return answer;
  }

  close(): void {
    this.#wire?.end();
    this.#wire = null;
  }
}

async function dial(port: number): Promise<Wire> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return new Wire(socket);
}

async function read(wire: Wire, method: string): Promise<RawAnswer> {
  const head: string[] = [];
  for (let line = await wire.line(); line !== ""; line = await wire.line()) head.push(line);
  const [first = "", ...fields] = head;
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  return {
    status: Number(first.split(" ")[1]),
    headers,
    body: method === "HEAD" ? "" : await readBody(wire, headers),
    bytes: [...head, ""].join("\r\n").length + 2,
  };
}

async function readBody(wire: Wire, headers: Readonly<Record<string, string>>): Promise<string> {
  if (headers["transfer-encoding"] !== "chunked") {
    return wire.bytes(Number(headers["content-length"] ?? 0));
  }
  let body = "";
  for (;;) {
    const size = Number.parseInt(await wire.line(), 16);
    body += await wire.bytes(size);
    await wire.line();
    if (size === 0) return body;
  }
}
