// A lookup endpoint that says yes to everybody: one port answers at once, the other is `far` away.
//
// What is far is a round trip, and a round trip on loopback is none. So the far port behaves as its caller
// would see it: on a new connection nothing is heard for one round trip (SYN, SYN+ACK), and every answer
// leaves one round trip after its request arrived. A lookup over a new connection costs two, over a kept
// one one.
import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import type { MailPorts } from "./upstream.ts";
import { tellParent } from "./parent.ts";

export type EndpointPorts = { readonly near: number; readonly far: number };

/** ms */
const ROUND_TRIP = 20;

const upstream = JSON.parse(process.argv[2] ?? "{}") as MailPorts;

tellParent({ near: await listen(0), far: await listen(ROUND_TRIP) } satisfies EndpointPorts);

async function listen(roundTrip: number): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => serve(socket, roundTrip));
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1024 });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function serve(socket: Socket, roundTrip: number): void {
  const connected = performance.now() + roundTrip;
  let received = "";
  socket.setEncoding("latin1");
  socket.on("error", () => socket.destroy());
  socket.on("data", (text: string) => {
    received += text;
    for (;;) {
      const end = received.indexOf("\r\n\r\n");
      if (end === -1) return;
      const request = received.slice(0, end);
      received = received.slice(end + 4);
      if (roundTrip === 0) answer(socket, request);
      else {
        const rest = Math.max(connected - performance.now(), 0) + roundTrip;
        setTimeout(() => answer(socket, request), rest);
      }
    }
  });
}

function answer(socket: Socket, request: string): void {
  const protocol = /^Auth-Protocol: (\w+)/m.exec(request)?.[1] as keyof MailPorts;
  const old = request.includes(" HTTP/1.0\r\n");
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${old ? "Connection: close\r\n" : ""}` +
      `Auth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: ${upstream[protocol]}\r\n\r\n`,
  );
  if (old) socket.end();
}
