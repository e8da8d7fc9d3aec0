/** A mail program over real sockets: it logs in, reads or sends the user's message, and leaves. */
import { connect as connectSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { granted, temporary } from "../../support/peers/mail-client.ts";
import { Hangup, Wire } from "../../support/peers/wire.ts";
import { type Account, accounts, isWhole, messageOf, wrongPassword } from "./accounts.ts";
import type { Told, Visit } from "./ledger.ts";

/** A port of Postern. */
export interface Door {
  readonly name: string;
  readonly host: string;
  readonly protocol: ProtocolName;
  readonly secure: boolean;
  readonly port: number;
}

const GREETING = { imap: /^\* OK /, pop3: /^\+OK/, smtp: /^220 / };
/** Refusals for good: RFC 5530, RFC 3206, RFC 4954 section 6. */
const REFUSED = {
  imap: /^a NO \[AUTHENTICATIONFAILED\] /,
  pop3: /^-ERR \[AUTH\] /,
  smtp: /^535 5\.7\.8 /,
};
/** A worker that drains (RFC 3501 section 7.1.5, RFC 3206, RFC 5321 section 3.8). */
const LEAVING = { imap: /^\* BYE \[UNAVAILABLE\] /, pop3: /^-ERR \[SYS\/TEMP\] /, smtp: /^421 / };

/** @param isRight true to use the user's password */
export async function visit(door: Door, account: Account, isRight: boolean): Promise<Visit> {
  const { host, port, secure } = door;
  const began = performance.now();
  const socket = secure
    ? connectTls({ port, host, rejectUnauthorized: false })
    : connectSocket(port, host);
  const wire = new Wire(socket);
  const words: string[] = [];
  let told: Told = "cut";
  let answered: number | null = null;
  let work: Visit["work"] = null;
  try {
    const answer = await logIn(door.protocol, wire, account, isRight, words);
    answered = performance.now();
    told = meaning(door.protocol, answer);
    if (told === "granted") {
      work = "cut";
      work = await WORK[door.protocol](wire, account);
      wire.write(door.protocol === "imap" ? "z LOGOUT\r\n" : "QUIT\r\n");
      for (;;) await wire.line();
    }
  } catch (error) {
    if (!(error instanceof Hangup)) throw error;
  } finally {
    socket.destroy();
  }
  const ended = performance.now();
  const { address } = account;
  return { door: door.name, address, isRight, began, answered, ended, told, words, work };
}

/** The answer to the password, or a line before it that ends the session. */
async function logIn(
  protocol: ProtocolName,
  wire: Wire,
  account: Account,
  isRight: boolean,
  words: string[],
): Promise<string> {
  const { address } = account;
  const password = isRight ? account.password : wrongPassword;
  const line = async (): Promise<string> => {
    const text = await wire.line();
    words.push(text);
    return text;
  };
  const greeting = await line();
  if (!GREETING[protocol].test(greeting)) return greeting;
  switch (protocol) {
    case "imap":
      wire.write(`a LOGIN ${address} ${password}\r\n`);
      return line();
    case "pop3": {
      wire.write(`USER ${address}\r\n`);
      const answer = await line();
      if (!answer.startsWith("+OK")) return answer;
      wire.write(`PASS ${password}\r\n`);
      return line();
    }
    case "smtp": {
      wire.write("EHLO client.example.test\r\n");
      let answer = await line();
      while (answer.startsWith("250-")) answer = await line();
      if (!answer.startsWith("250 ")) return answer;
      wire.write(`AUTH PLAIN ${btoa(`\0${address}\0${password}`)}\r\n`);
      return line();
    }
  }
}

function meaning(protocol: ProtocolName, answer: string): Told {
  if (granted[protocol].test(answer)) return "granted";
  if (REFUSED[protocol].test(answer)) return "refused";
  if (temporary[protocol].test(answer) || LEAVING[protocol].test(answer)) return "unavailable";
  return "unknown";
}

type Work = (wire: Wire, account: Account) => Promise<Visit["work"]>;

const WORK: Readonly<Record<ProtocolName, Work>> = {
  imap: async (wire, { address }) => {
    wire.write("b SELECT INBOX\r\nc UID FETCH 2 BODY.PEEK[]\r\n");
    for (;;) {
      const line = await wire.line();
      const [, count] = /\{(\d+)\}$/.exec(line) ?? [];
      if (count !== undefined) return judge(await wire.bytes(Number(count)), address);
      if (/^[bc] /.test(line) && !line.startsWith("b OK")) return "damaged";
    }
  },
  pop3: async (wire, { address }) => {
    wire.write("RETR 2\r\n");
    const first = await wire.line();
    if (!first.startsWith("+OK")) return "damaged";
    let message = "";
    for (;;) {
      const line = await wire.line();
      if (line === ".") return judge(message, address);
      message += `${line.replace(/^\./, "")}\r\n`;
    }
  },
  smtp: async (wire, { address }) => {
    wire.write(`MAIL FROM:<${address}>\r\nRCPT TO:<${address}>\r\nDATA\r\n`);
    for (const expected of ["250", "250", "354"]) {
      const line = await wire.line();
      // Only the user's own server knows the recipient.
      if (line.startsWith("550")) return "foreign";
      if (!line.startsWith(expected)) return "damaged";
    }
    wire.write(`${messageOf(address).replaceAll(/^\./gm, "..")}.\r\n`);
    // The server compares the bytes, and says so itself where they are not the same.
    return (await wire.line()).startsWith("250") ? "whole" : "damaged";
  },
};

function judge(message: string, address: string): Visit["work"] {
  if (isWhole(message, address)) return "whole";
  return accounts.some((other) => isWhole(message, other.address)) ? "foreign" : "damaged";
}
