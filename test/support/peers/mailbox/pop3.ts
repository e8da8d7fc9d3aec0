// POP3 (RFC 1939) with CAPA (RFC 2449), over an inbox of the store.
import type { Listener } from "./listener.ts";
import { split } from "./mime.ts";
import type { Inbox, Message, Store } from "./store.ts";
import { run, utf8, Wire } from "../wire.ts";

/** An open maildrop: the messages as they were at login, and those marked for deletion. */
type Maildrop = { inbox: Inbox; messages: readonly Message[]; deleted: Set<Message> };

const capabilities = ["TOP", "UIDL", "USER", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE"];

export function servePop3(listener: Listener, name: string, store: Store): void {
  listener.on("connection", (socket) => {
    const wire = new Wire(socket, listener.lines);
    run(wire, async () => {
      wire.write(`+OK ${name} ready\r\n`);
      const inbox = await authorize(wire, store);
      if (!inbox) return;
      listener.logins++;
      await transact(wire, { inbox, messages: inbox.messages, deleted: new Set() });
    });
  });
}

/** The AUTHORIZATION state: an inbox, or nothing after QUIT. */
async function authorize(wire: Wire, store: Store): Promise<Inbox | undefined> {
  for (let user = ""; ;) {
    const { verb, rest } = await readCommand(wire);
    if (verb === "QUIT") {
      wire.write("+OK bye\r\n");
      return undefined;
    }
    if (verb === "CAPA") wire.write(listing("capabilities", capabilities));
    else if (verb === "USER") {
      user = rest;
      wire.write("+OK\r\n");
    } else if (verb === "PASS" && user) {
      const inbox = store.open(utf8(user), utf8(rest));
      wire.write(inbox ? "+OK Logged in.\r\n" : "-ERR [AUTH] Authentication failed.\r\n");
      if (inbox) return inbox;
    } else wire.write("-ERR log in first\r\n");
  }
}

/** The TRANSACTION state, and at QUIT the UPDATE. */
async function transact(wire: Wire, drop: Maildrop): Promise<void> {
  for (;;) {
    const { verb, rest } = await readCommand(wire);
    if (verb === "QUIT") {
      drop.inbox.remove(drop.deleted);
      return wire.write("+OK bye\r\n");
    }
    wire.write(answer(drop, verb, rest));
  }
}

function answer(drop: Maildrop, verb: string, rest: string): string {
  const kept = drop.messages.filter((message) => !drop.deleted.has(message));
  const size = kept.reduce((sum, message) => sum + message.content.length, 0);
  switch (verb) {
    case "CAPA":
      return listing("capabilities", capabilities);
    case "NOOP":
      return "+OK\r\n";
    case "STAT":
      return `+OK ${kept.length} ${size}\r\n`;
    case "RSET":
      drop.deleted.clear();
      return "+OK\r\n";
    case "LIST":
      return describe(drop, rest, (message) => `${message.content.length}`);
    case "UIDL":
      return describe(drop, rest, (message) => `${drop.inbox.uidValidity}.${message.uid}`);
    default:
      return onMessage(drop, verb, rest);
  }
}

function onMessage(drop: Maildrop, verb: string, rest: string): string {
  const [number = "", lines = ""] = rest.split(" ");
  const message = find(drop, number);
  if (!message) return "-ERR no such message, or command\r\n";
  switch (verb) {
    case "RETR":
      return multiline(`${message.content.length} octets`, message.content);
    case "TOP":
      return multiline("top of message", top(message, Number(lines)));
    case "DELE":
      drop.deleted.add(message);
      return "+OK\r\n";
    default:
      return "-ERR unknown command\r\n";
  }
}

function top({ content }: Message, lines: number): string {
  const { header, body } = split(content);
  return header + body.split("\r\n").slice(0, lines).join("\r\n");
}

/** LIST and UIDL: one line for each message, or the one asked for. */
function describe(drop: Maildrop, number: string, fact: (message: Message) => string): string {
  if (number) {
    const message = find(drop, number);
    return message ? `+OK ${number} ${fact(message)}\r\n` : "-ERR no such message\r\n";
  }
  const rows = drop.messages.flatMap((message, index) =>
    drop.deleted.has(message) ? [] : [`${index + 1} ${fact(message)}`],
  );
  return listing(`${rows.length} messages`, rows);
}

function find(drop: Maildrop, number: string): Message | undefined {
  const message = drop.messages[Number(number) - 1];
  return message && !drop.deleted.has(message) ? message : undefined;
}

function listing(title: string, rows: readonly string[]): string {
  return multiline(title, rows.map((row) => `${row}\r\n`).join(""));
}

/** A multi-line response, its lines dot-stuffed. */
function multiline(title: string, text: string): string {
  const ended = text === "" || text.endsWith("\r\n") ? text : `${text}\r\n`;
  return `+OK ${title}\r\n${ended.replaceAll(/^\./gm, "..")}.\r\n`;
}

async function readCommand(wire: Wire): Promise<{ verb: string; rest: string }> {
  const line = await wire.line();
  const [verb = ""] = line.split(" ", 1);
  return { verb: verb.toUpperCase(), rest: line.slice(verb.length + 1) };
}
