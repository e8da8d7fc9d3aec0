// Submission: SMTP with AUTH in the clear (loopback only), delivering into the demo inboxes.
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import type { Listener } from "./listener.ts";
import type { Delivery, Store } from "./store.ts";

export function serveSmtp(
  listener: Listener,
  name: string,
  store: Store,
  delivery: Delivery,
): void {
  const server = new SMTPServer({
    name,
    banner: `${name} ready`,
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    onAuth: (auth, _session, done) => {
      const { username = "", password } = auth;
      if (!store.open(username, password ?? "")) {
        return done(refusal(535, "5.7.8 Authentication failed"));
      }
      listener.logins++;
      done(null, { user: username });
    },
    onRcptTo: ({ address }, _session, done) => {
      done(delivery.has(address) ? null : refusal(550, `5.1.1 <${address}>: no such user`));
    },
    onData: deliver(name, delivery),
  });
  // A client that resets its connection is no concern of the server.
  server.on("error", () => {});

  listener.on("connection", (socket) => {
    let tail = "";
    socket.on("data", (chunk: Buffer) => {
      const lines = (tail + chunk.toString("latin1")).split(/\r?\n/);
      tail = lines.pop() ?? "";
      listener.lines.push(...lines);
    });
    server.connect(socket);
  });
}

function deliver(name: string, delivery: Delivery): NonNullable<SMTPServerOptions["onData"]> {
  return (stream, session, done) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const content = trace(name, session) + Buffer.concat(chunks).toString("latin1");
      for (const { address } of session.envelope.rcptTo) delivery.get(address)?.deliver(content);
      done(null, "2.0.0 delivered");
    });
  };
}

/** The lines a server adds on top of what it delivers (RFC 5321, 4.4). */
function trace(name: string, { envelope, id, transmissionType }: SMTPServerSession): string {
  const sender = envelope.mailFrom ? envelope.mailFrom.address : "";
  const date = new Date().toUTCString().replace("GMT", "+0000");
  return `Return-Path: <${sender}>\r\nReceived: by ${name} with ${transmissionType} id ${id}; ${date}\r\n`;
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
