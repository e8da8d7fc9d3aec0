/** The conversations of mail servers up to the login: a line in, a reply out. */
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { fromBase64 } from "./attempt.ts";

/** Bytes of a server behind a login; no other bytes have this character. */
export const UPSTREAM_MARK = "~";

export interface Judge {
  /** @returns true where the server accepts the account */
  accepts(login: string, secret: string): boolean;
  /** The login is complete without a secret, as mail for a recipient is. */
  acceptsNone(): void;
}

/** Yields replies, none where they are empty, and is resumed with lines. `tls` follows the reply to STARTTLS. */
export type Conversation = Generator<Reply, void, string>;

interface Reply {
  readonly text: string;
  readonly tls?: true;
}

export const CONVERSATIONS: Readonly<Record<ProtocolName, (judge: Judge) => Conversation>> = {
  imap,
  pop3,
  smtp,
};

export const GREETINGS: Readonly<Record<ProtocolName, readonly [string, ...string[]]>> = {
  imap: ["* OK ready\r\n", "* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN STARTTLS ID] ready\r\n"],
  pop3: ["+OK ready\r\n", "+OK [XCLIENT] ready\r\n"],
  smtp: ["220 ready\r\n", "220-many\r\n220 words\r\n"],
};

/** Greetings that decline, in codes that a client must not be told. */
export const DECLINES: Readonly<Record<ProtocolName, string>> = {
  imap: "* BYE [AUTHENTICATIONFAILED] upstream-no\r\n",
  pop3: "-ERR [AUTH] upstream-no\r\n",
  smtp: "535 upstream-no\r\n",
};

/** Text behind the agreement to TLS, in the clear. */
export const INJECTED: Readonly<Record<ProtocolName, string>> = {
  imap: "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\npostern OK\r\na OK granted\r\n",
  pop3: "+OK\r\n.\r\n+OK granted\r\n",
  smtp: "250 OK\r\n250 OK\r\n235 granted\r\n",
};

function splitPlain(message: string): readonly [string, string] {
  const [, login = "", secret = ""] = fromBase64(message).split("\0");
  return [login, secret];
}

function* imap(judge: Judge): Conversation {
  for (let line = yield { text: "" }; ;) {
    const [tag = "*", verb = "", ...rest] = line.split(" ");
    switch (verb.toUpperCase()) {
      case "CAPABILITY":
        line = yield {
          text: `* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN ID\r\n${tag} OK done\r\n`,
        };
        break;
      case "STARTTLS":
        line = yield { text: `${tag} OK begin\r\n`, tls: true };
        break;
      case "LOGIN": {
        const waits = !line.endsWith("+}");
        const more = { text: waits ? "+ go\r\n" : "" };
        const [login = ""] = (yield more).split(" ");
        line = yield imapVerdict(tag, judge.accepts(login, yield more));
        break;
      }
      case "AUTHENTICATE": {
        const message = rest[1] ?? (yield { text: "+ \r\n" });
        line = yield imapVerdict(tag, judge.accepts(...splitPlain(message)));
        break;
      }
      default:
        line = yield { text: `${tag} OK\r\n` };
    }
  }
}

function imapVerdict(tag: string, accepted: boolean): Reply {
  return {
    text: accepted
      ? `* CAPABILITY IMAP4rev1\r\n${tag} OK granted\r\n`
      : `${tag} NO [AUTHENTICATIONFAILED] upstream-no\r\n`,
  };
}

function* pop3(judge: Judge): Conversation {
  let login = "";
  for (let line = yield { text: "" }; ;) {
    const [verb = "", ...rest] = line.split(" ");
    switch (verb) {
      case "CAPA":
        line = yield { text: "+OK\r\nUSER\r\nSTLS\r\nSASL PLAIN\r\n.\r\n" };
        break;
      case "STLS":
        line = yield { text: "+OK begin\r\n", tls: true };
        break;
      case "USER":
        login = rest.join(" ");
        line = yield { text: "+OK\r\n" };
        break;
      case "PASS":
        line = yield pop3Verdict(judge.accepts(login, rest.join(" ")));
        break;
      case "AUTH":
        line = yield pop3Verdict(
          judge.accepts(...splitPlain(rest[1] ?? (yield { text: "+ \r\n" }))),
        );
        break;
      default:
        line = yield { text: "+OK\r\n" };
    }
  }
}

function pop3Verdict(accepted: boolean): Reply {
  return { text: accepted ? "+OK granted\r\n" : "-ERR [AUTH] upstream-no\r\n" };
}

function* smtp(judge: Judge): Conversation {
  for (let line = yield { text: "" }; ;) {
    const [verb = "", ...rest] = line.split(" ");
    switch (verb) {
      case "EHLO":
        line = yield {
          text: "250-here\r\n250-STARTTLS\r\n250-XCLIENT ADDR PORT TTL LOGIN\r\n250 AUTH PLAIN\r\n",
        };
        break;
      case "STARTTLS":
        line = yield { text: "220 begin\r\n", tls: true };
        break;
      case "AUTH": {
        const accepted = judge.accepts(...splitPlain(rest[1] ?? (yield { text: "334 \r\n" })));
        line = yield { text: accepted ? "235 granted\r\n" : "535 upstream-no\r\n" };
        break;
      }
      case "RCPT":
        judge.acceptsNone();
        line = yield { text: "250 granted\r\n" };
        break;
      default:
        line = yield { text: "250 OK\r\n" };
    }
  }
}
