// Commands after login: a user has one mailbox, INBOX, to list, to look at and to select.
import type { Inbox } from "../store.ts";
import type { Commands, Session } from "./session.ts";
import { word, wordsOf, type Argument } from "./syntax.ts";
import { View } from "./view.ts";

const keptFlags = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
const noSuchMailbox = "NO [NONEXISTENT] there is only INBOX";

export const afterLogin: Commands = {
  LIST: (session, args) => list("LIST", session, args),
  LSUB: (session, args) => list("LSUB", session, args),
  SUBSCRIBE: () => "OK done",
  UNSUBSCRIBE: () => "OK done",
  CREATE: () => "NO [CANNOT] there is only INBOX",
  APPEND: () => "NO [CANNOT] mail arrives by SMTP here",
  SELECT: (session, [name]) => select(session, name, false),
  EXAMINE: (session, [name]) => select(session, name, true),

  STATUS: ({ wire, inbox }, [name, items]) => {
    if (!inbox || !isInbox(name)) return noSuchMailbox;
    const asked = wordsOf(items).map((item) => item.toUpperCase());
    const found = asked.flatMap((item) => (item in facts ? `${item} ${facts[item]?.(inbox)}` : []));
    wire.write(`* STATUS INBOX (${found.join(" ")})\r\n`);
    return "OK done";
  },

  // RFC 2177: new mail is announced until the client says DONE.
  IDLE: async ({ wire, inbox, view }) => {
    const announce = () => view && wire.write(view.refresh());
    inbox?.on("delivered", announce);
    wire.write("+ idling\r\n");
    try {
      const line = await wire.line();
      return line.toUpperCase() === "DONE" ? "OK done" : "BAD expected DONE";
    } finally {
      inbox?.off("delivered", announce);
    }
  },
};

const facts: Record<string, (inbox: Inbox) => number> = {
  MESSAGES: ({ messages }) => messages.length,
  RECENT: () => 0,
  UIDNEXT: ({ uidNext }) => uidNext,
  UIDVALIDITY: ({ uidValidity }) => uidValidity,
  UNSEEN: ({ messages }) => messages.filter(({ flags }) => !flags.has("\\Seen")).length,
};

function list(verb: "LIST" | "LSUB", { wire }: Session, [, pattern]: readonly Argument[]): string {
  const name = word(pattern);
  if (name === "") wire.write(`* ${verb} (\\Noselect) "/" ""\r\n`);
  else if (isInbox(name) || /^I?N?B?O?X?[*%]/i.test(name)) {
    wire.write(`* ${verb} (\\HasNoChildren) "/" INBOX\r\n`);
  }
  return "OK done";
}

function select(session: Session, name: Argument | undefined, readOnly: boolean): string {
  session.view = undefined;
  const { inbox, wire } = session;
  if (!inbox || !isInbox(name)) return noSuchMailbox;
  session.view = new View(inbox, readOnly);
  wire.write(
    `* FLAGS (${keptFlags})\r\n` +
      `* OK [PERMANENTFLAGS (${readOnly ? "" : keptFlags})] kept\r\n` +
      `* ${inbox.messages.length} EXISTS\r\n* 0 RECENT\r\n` +
      `* OK [UIDVALIDITY ${inbox.uidValidity}] valid\r\n* OK [UIDNEXT ${inbox.uidNext}] next\r\n`,
  );
  return `OK [READ-${readOnly ? "ONLY" : "WRITE"}] selected`;
}

function isInbox(name: Argument | undefined): boolean {
  return word(name).toUpperCase() === "INBOX";
}
