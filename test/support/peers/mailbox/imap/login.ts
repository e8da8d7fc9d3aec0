// Commands before login, and those that do in any state.
import { utf8 } from "../../wire.ts";
import type { Commands, Session } from "./session.ts";
import { word } from "./syntax.ts";

const always = "IMAP4rev1 LITERAL+ SASL-IR ID IDLE";
export const capabilities = {
  beforeLogin: `${always} AUTH=PLAIN`,
  afterLogin: `${always} UNSELECT`,
};

export const anyState: Commands = {
  CAPABILITY: ({ wire, inbox }) => {
    wire.write(`* CAPABILITY ${inbox ? capabilities.afterLogin : capabilities.beforeLogin}\r\n`);
    return "OK done";
  },
  NOOP: () => "OK done",
  ID: ({ wire }) => {
    wire.write('* ID ("name" "demo mailbox")\r\n');
    return "OK done";
  },
  LOGOUT: (session) => {
    session.wire.write("* BYE see you\r\n");
    session.over = true;
    return "OK done";
  },
};

export const beforeLogin: Commands = {
  LOGIN: (session, [user, password]) => open(session, word(user), word(password)),
  AUTHENTICATE: async (session, [mechanism, initial]) => {
    if (word(mechanism).toUpperCase() !== "PLAIN") return "NO only PLAIN is known";
    if (initial === undefined) session.wire.write("+ \r\n");
    const response = word(initial ?? (await session.wire.line()));
    if (response === "*") return "BAD cancelled";
    const [, user = "", password = ""] = Buffer.from(response, "base64")
      .toString("latin1")
      .split("\0");
    return open(session, user, password);
  },
};

function open(session: Session, user: string, password: string): string {
  const inbox = session.store.open(utf8(user), utf8(password));
  if (!inbox) return "NO [AUTHENTICATIONFAILED] Authentication failed.";
  session.inbox = inbox;
  session.listener.logins++;
  return `OK [CAPABILITY ${capabilities.afterLogin}] Logged in`;
}
