// IMAP4rev1 over an inbox of the store, for any client that lists and reads mail.
import type { Listener } from "../listener.ts";
import type { Store } from "../store.ts";
import { run, Wire } from "../../wire.ts";
import { anyState, beforeLogin, capabilities } from "./login.ts";
import { afterLogin } from "./mailboxes.ts";
import { keepsNumbers, selected } from "./messages.ts";
import type { Handler, Session } from "./session.ts";
import { readCommand, type Command } from "./syntax.ts";

export function serveImap(listener: Listener, name: string, store: Store): void {
  listener.on("connection", (socket) => {
    const wire = new Wire(socket, listener.lines);
    const session: Session = { wire, store, listener, over: false };
    run(wire, async () => {
      wire.write(`* OK [CAPABILITY ${capabilities.beforeLogin}] ${name} ready.\r\n`);
      while (!session.over) await serve(session, await readCommand(wire));
    });
  });
}

async function serve(session: Session, { tag, verb, args }: Command): Promise<void> {
  const handler = commandFor(session, verb);
  let completion = "BAD unknown command, or not now";
  try {
    if (handler) completion = await handler(session, args);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    completion = `BAD ${error.message}`;
  }
  if (session.view && !keepsNumbers.has(verb)) session.wire.write(session.view.refresh());
  session.wire.write(`${tag} ${completion}\r\n`);
}

/** The commands of each state: before the login, after it, and with a mailbox selected. */
function commandFor({ inbox, view }: Session, verb: string): Handler | undefined {
  if (anyState[verb]) return anyState[verb];
  if (!inbox) return beforeLogin[verb];
  return afterLogin[verb] ?? (view && selected[verb]);
}
