// A mail server that runs the script of a test on each connection.
import { Listener } from "./mailbox/listener.ts";
import { Wire, run } from "./wire.ts";

/** @param script ends with the connection */
export async function startUpstream(script: (wire: Wire) => Promise<void>): Promise<Listener> {
  const listener = new Listener("127.0.0.1");
  listener.on("connection", (socket) => {
    const wire = new Wire(socket, listener.lines);
    run(wire, () => script(wire));
  });
  await listener.listen(0);
  return listener;
}

/** The server's half of an IMAP login without literals that wait; returns the tag. */
export async function grantImap(wire: Wire): Promise<string> {
  wire.write("* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n");
  const [tag = ""] = (await wire.line()).split(" ");
  await wire.line();
  await wire.line();
  wire.write(`${tag} OK logged in\r\n`);
  return tag;
}

/** For a server that sends nothing more. */
export function silence(): Promise<void> {
  return new Promise(() => {});
}
