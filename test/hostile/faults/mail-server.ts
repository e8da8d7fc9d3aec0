/**
 * A mail server as a process of its own, which can be killed:
 *
 *   node mail-server.ts NUMBER IMAP POP3 SMTP
 *
 * Prints `ready`, and `damaged ADDRESS` for a delivered message that is not the one that the user sends.
 */
import { startMailbox } from "../../support/peers/mailbox/index.ts";
import { accounts, isWhole, messageOf } from "./accounts.ts";

/** All addresses of the machine, since some tests reach it by a network of their own. */
const host = "0.0.0.0";
const [number = 0, imap = 0, pop3 = 0, smtp = 0] = process.argv.slice(2).map(Number);
const users = accounts.filter(({ server }) => server === number);
const ports = { imap, pop3, smtp };
const mailbox = await startMailbox({ name: `mail${number}`, host, ports, users });
for (const { address } of users) {
  const inbox = mailbox.store.inbox(address);
  inbox.deliver(messageOf(address));
  inbox.on("delivered", () => {
    const last = inbox.messages.at(-1);
    if (last === undefined || !isWhole(last.content, address)) console.log(`damaged ${address}`);
    // Each session sends one, and an inbox lives in memory.
    if (last !== undefined) inbox.remove(new Set([last]));
  });
}
console.log("ready");
