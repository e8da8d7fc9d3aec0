/** The users of the mail service under faults, and the one message in each inbox, which no two users share. */
import { createHash } from "node:crypto";
import { secret } from "../../support/secrets.ts";

export interface Account {
  readonly address: string;
  readonly password: string;
  /** The number of the mail server that holds the mailbox. */
  readonly server: number;
}

export const SERVERS = 3;
const USERS = 60;
/** Lines of a message: some 30 KB. */
const LINES = 400;

export const accounts: readonly Account[] = Array.from({ length: USERS }, (_, number) => ({
  address: `user${number}@example.test`,
  password: secret(`right-${digestOf(`password ${number}`).slice(0, 16)}`),
  server: number % SERVERS,
}));

export const wrongPassword = secret("wrong-password-of-all");

/** The message of a user, one character a byte: lines of any bytes, also with dots in front. */
export function messageOf(address: string): string {
  const body: string[] = [];
  let seed = digestOf(address);
  for (let line = 0; line < LINES; line++) {
    seed = digestOf(seed);
    const bytes = Buffer.from(seed.repeat(2), "hex").toString("latin1");
    body.push(`${".".repeat(line % 3)}${bytes.replaceAll(/[\0\r\n]/g, "x")}`);
  }
  const text = `${body.join("\r\n")}\r\n`;
  return `From: <${address}>\r\nTo: <${address}>\r\nSubject: ${digestOf(text)}\r\n\r\n${text}`;
}

/** True for a message of `messageOf` that has lost, gained or changed no byte; a server may have put lines on top. */
export function isWhole(message: string, address: string): boolean {
  return message.endsWith(messageOf(address));
}

/** @param text one character a byte */
function digestOf(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}
