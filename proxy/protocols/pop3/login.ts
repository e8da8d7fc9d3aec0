/** Logging in to a POP3 upstream with USER and PASS (RFC 1939 section 7). */
import type { Account, LoginScript } from "../protocol.ts";

/** The reply to PASS goes to the client as it is. */
export function* login({ login: user, password }: Account): LoginScript {
  const greeting = yield null;
  if (!isOk(greeting)) return { kind: "unready", reply: greeting };
  const known = yield { text: `USER ${user}\r\n`, name: "user name" };
  if (!isOk(known)) return { kind: "refused", reply: known };
  const reply = yield { text: `PASS ${password ?? ""}\r\n`, name: "password" };
  return { kind: isOk(reply) ? "accepted" : "refused", reply };
}

function isOk(reply: string): boolean {
  return /^\+OK\b/i.test(reply);
}
