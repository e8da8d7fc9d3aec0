// An auth_http endpoint that sends what a test wants: any bytes, or no reply.
import { Listener } from "./mailbox/listener.ts";
import { secret } from "../secrets.ts";
import { Wire, run } from "./wire.ts";

export type Lookup = {
  /** Request line and headers, as they came, without line ends. */
  readonly lines: readonly string[];
  /** A header's value, its name in any case. */
  readonly header: (name: string) => string | undefined;
  /** Settles when the connection of the lookup is closed. */
  readonly gone: Promise<unknown>;
};

/** The bytes of a reply. Without a Content-Length the connection is closed behind it. */
export type Answer = (lookup: Lookup) => string | Promise<string>;

export type LookupEndpoint = {
  /** For `auth_http`. */
  readonly address: string;
  readonly port: number;
  /** All lookups, in order. */
  readonly lookups: readonly Lookup[];
  readonly listener: Listener;
  close(): Promise<void>;
};

/** @param at a port, or the path of a unix socket */
export async function startLookupEndpoint(
  answer: Answer,
  at: number | string = 0,
): Promise<LookupEndpoint> {
  const listener = new Listener("127.0.0.1");
  const lookups: Lookup[] = [];
  listener.on("connection", (socket) => {
    const wire = new Wire(socket);
    // A reset counts as well; `once` would reject on it.
    const gone = new Promise((resolve) => socket.once("close", resolve));
    run(wire, async () => {
      for (let more = true; more;) {
        const lookup = { ...(await request(wire)), gone };
        lookups.push(lookup);
        const said = await answer(lookup);
        for (const [, password = ""] of said.matchAll(/^Auth-Pass: (.*)\r$/gim)) secret(password);
        wire.write(said);
        more = /^content-length:/im.test(said);
      }
    });
  });
  await listener.listen(at);
  const { port } = listener;
  return {
    address: typeof at === "string" ? `http://unix:${at}:/auth` : `http://127.0.0.1:${port}/auth`,
    port,
    lookups,
    listener,
    close: () => listener.close(),
  };
}

async function request(wire: Wire): Promise<Omit<Lookup, "gone">> {
  const lines: string[] = [];
  for (let line = await wire.line(); line !== ""; line = await wire.line()) lines.push(line);
  const header = (name: string): string | undefined => {
    const start = `${name.toLowerCase()}: `;
    return lines.find((line) => line.toLowerCase().startsWith(start))?.slice(start.length);
  };
  return { lines, header };
}

/** A reply with a status line, these headers, and no body. */
export function reply(status: number, headers: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries({ ...headers, "Content-Length": 0 });
  const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} said\r\n${fields.join("")}\r\n`;
}

/** A yes, to this port of 127.0.0.1. */
export function route(port: number, more: Readonly<Record<string, string | number>> = {}): string {
  return reply(200, {
    "Auth-Status": "OK",
    "Auth-Server": "127.0.0.1",
    "Auth-Port": port,
    ...more,
  });
}

/** A reply that never comes. */
export function never(): Promise<string> {
  return new Promise(() => {});
}
