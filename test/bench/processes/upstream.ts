// Mail servers with as little mail in them as possible, so that the CPU is left to the proxies.
//
// After the login a line `x DOWN n` is answered with n bytes, and `x UP n` takes n bytes.
import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { tellParent } from "./parent.ts";

export type MailPorts = { readonly imap: number; readonly pop3: number; readonly smtp: number };

type Serve = (line: string, socket: Socket) => string;

const CHUNK = Buffer.alloc(65_536, "0123456789abcdef");

tellParent({
  imap: await listen("* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID IDLE] ready.\r\n", imap),
  pop3: await listen("+OK ready\r\n", () => pop3),
  smtp: await listen("220 mx.example.test ESMTP\r\n", () => smtp),
} satisfies MailPorts);

async function listen(greeting: string, newSession: () => Serve): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.write(greeting, "latin1");
    converse(socket, newSession());
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1024 });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Answers lines; while an upload lasts, counts instead. */
function converse(socket: Socket, serve: Serve): void {
  let received = "";
  let awaited = 0;
  socket.on("data", (chunk: Buffer) => {
    if (awaited > 0) {
      awaited -= chunk.length;
      if (awaited === 0) socket.write("x OK\r\n");
      return;
    }
    received += chunk.toString("latin1");
    let start = 0;
    for (let end = received.indexOf("\n"); end !== -1; end = received.indexOf("\n", start)) {
      const line = received.slice(start, end - 1);
      start = end + 1;
      if (line.startsWith("x DOWN ")) pour(socket, Number(line.slice(7)));
      else if (line.startsWith("x UP ")) {
        awaited = Number(line.slice(5));
        socket.write("x GO\r\n");
      } else {
        const reply = serve(line, socket);
        if (reply !== "") socket.write(reply, "latin1");
      }
    }
    received = received.slice(start);
  });
}

/** Writes so many bytes, as fast as they are taken. */
function pour(socket: Socket, count: number): void {
  let rest = count;
  const more = (): void => {
    while (rest > 0 && !socket.destroyed) {
      const chunk = rest >= CHUNK.length ? CHUNK : CHUNK.subarray(0, rest);
      rest -= chunk.length;
      if (!socket.write(chunk)) break;
    }
    if (rest > 0) socket.once("drain", more);
  };
  more();
}

/** LOGIN comes with literals of either kind, LITERAL+ (RFC 7888) or with an invitation for each. */
function imap(): Serve {
  let tag = "";
  return (line, socket) => {
    const continued = tag !== "";
    if (!continued) tag = line.slice(0, line.indexOf(" "));
    if (line.endsWith("+}")) return "";
    if (line.endsWith("}")) return "+ OK\r\n";
    const mine = tag;
    tag = "";
    if (!continued && line.endsWith("LOGOUT")) {
      socket.end(`* BYE\r\n${mine} OK Logged out.\r\n`, "latin1");
      return "";
    }
    return `${mine} OK done.\r\n`;
  };
}

function pop3(line: string, socket: Socket): string {
  if (line !== "QUIT") return "+OK\r\n";
  socket.end("+OK bye\r\n", "latin1");
  return "";
}

function smtp(line: string, socket: Socket): string {
  if (line.startsWith("EHLO ")) return "250-mx.example.test\r\n250 AUTH PLAIN\r\n";
  if (line.startsWith("AUTH ")) return "235 2.7.0 welcome\r\n";
  if (line !== "QUIT") return "250 2.0.0 OK\r\n";
  socket.end("221 2.0.0 bye\r\n", "latin1");
  return "";
}
