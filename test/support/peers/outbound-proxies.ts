// Outbound proxies that follow a script and record their requests.
import { once } from "node:events";
import { type Socket, connect, isIP } from "node:net";
import { type TLSSocket, TLSSocket as Tls, createSecureContext } from "node:tls";
import type { Certificate } from "../certificates/certificate.ts";
import { Listener } from "./mailbox/listener.ts";
import { secret } from "../secrets.ts";
import { Wire, run } from "./wire.ts";

export type TestProxy = {
  readonly port: number;
  readonly listener: Listener;
  /** The requests so far: heads of CONNECT, or targets of SOCKS. */
  readonly asked: readonly string[];
  close(): Promise<void>;
};

/** A proxy that runs a script on each connection. */
export async function startScriptedProxy(
  script: (wire: Wire, socket: Socket) => Promise<void>,
): Promise<TestProxy> {
  return start([], (socket) => {
    const wire = new Wire(socket);
    run(wire, () => script(wire, socket));
  });
}

type ConnectOptions = {
  /** `user:password` to insist on. */
  readonly login?: string;
  /** The certificate for TLS; null in the clear. */
  readonly certificate?: Certificate;
  /** Names that it can resolve, all to loopback. */
  readonly names?: readonly string[];
  /** Holds the answer back until the server has spoken, and sends both together. */
  readonly together?: boolean;
};

/** An HTTP proxy that knows CONNECT. */
export async function startConnectProxy(options: ConnectOptions = {}): Promise<TestProxy> {
  const { login, certificate, names = [], together = false } = options;
  if (login !== undefined) secret(login.replace(/^[^:]*:/, ""));
  const asked: string[] = [];
  return start(asked, (raw) => {
    const socket = certificate === undefined ? raw : underTls(raw, certificate);
    void serve(socket).catch(() => socket.destroy());
  });

  async function serve(socket: Socket | TLSSocket): Promise<void> {
    const head = await until(socket, "\r\n\r\n");
    asked.push(head);
    const basic = `Basic ${Buffer.from(login ?? "").toString("base64")}`;
    if (login !== undefined && !head.includes(`\r\nProxy-Authorization: ${basic}\r\n`)) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
      return;
    }
    const [, host = "", port = ""] = /^CONNECT \[?([^\s\]]+)\]?:(\d+) /.exec(head) ?? [];
    if (isIP(host) === 0 && !names.includes(host)) {
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      return;
    }
    const server = connect(Number(port), isIP(host) === 0 ? "127.0.0.1" : host);
    await once(server, "connect");
    const granted = Buffer.from("HTTP/1.1 200 Connection established\r\n\r\n");
    const [banner] = together ? ((await once(server, "data")) as [Buffer]) : [Buffer.alloc(0)];
    socket.write(Buffer.concat([granted, banner]));
    join(socket, server);
  }
}

async function start(asked: string[], take: (socket: Socket) => void): Promise<TestProxy> {
  const listener = new Listener("127.0.0.1");
  listener.on("connection", take);
  await listener.listen(0);
  return { port: listener.port, listener, asked, close: () => listener.close() };
}

function underTls(raw: Socket, { certificate, key }: Certificate): TLSSocket {
  const secureContext = createSecureContext({ cert: certificate, key });
  const socket = new Tls(raw, { isServer: true, secureContext });
  socket.on("error", () => raw.destroy());
  return socket;
}

async function until(socket: Socket, end: string): Promise<string> {
  let text = "";
  while (!text.endsWith(end)) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    text += chunk.toString("latin1");
  }
  return text;
}

function join(one: Socket, other: Socket): void {
  one.on("error", () => other.destroy());
  other.on("error", () => one.destroy());
  one.pipe(other);
  other.pipe(one);
}
