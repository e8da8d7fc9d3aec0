// A mail server that accepts every login and then echoes each command. A script may change any of its replies.
import type { ProtocolName } from "../../../shared/lookup.ts";
import type { Wire } from "../../support/peers/wire.ts";
import type { Upstream } from "./script.ts";

const GREETING: Record<ProtocolName, string> = {
  imap: "* OK upstream ready\r\n",
  pop3: "+OK upstream ready\r\n",
  smtp: "220 upstream.example.test ESMTP\r\n",
};

const GOODBYE: Record<ProtocolName, string> = {
  imap: "* BYE\r\nTAG OK upstream says goodbye\r\n",
  pop3: "+OK upstream says goodbye\r\n",
  smtp: "221 2.0.0 upstream says goodbye\r\n",
};

/** Replies other than the usual OK. */
const SPECIAL: Readonly<Record<string, string>> = {
  EHLO: "250-upstream.example.test\r\n250 XCLIENT NAME ADDR LOGIN\r\n",
  HELO: "250 upstream.example.test\r\n",
  XCLIENT: "220 upstream.example.test ESMTP\r\n",
  AUTH: "235 2.7.0 upstream let you in\r\n",
  LITERAL: "+ go on\r\n",
};

/** Ends with the connection. */
export async function serve(
  wire: Wire,
  protocol: ProtocolName,
  { greeting = GREETING[protocol], replies = {} }: Upstream,
): Promise<void> {
  const counts = new Map<string, number>();
  /** @returns false where the connection ends */
  const answer = (verb: string, usual: string, tag = ""): boolean => {
    const count = (counts.get(verb) ?? 0) + 1;
    counts.set(verb, count);
    const numbered = replies[`${verb} ${count}`];
    const text = numbered === undefined ? replies[verb] : numbered;
    if (text === null) return false;
    wire.write((text ?? SPECIAL[verb] ?? usual).replaceAll("TAG", tag));
    return true;
  };

  /** Reads the literals of a command, asking for each. */
  const literals = async (line: string): Promise<string | null> => {
    let whole = line;
    for (let last = line; ;) {
      const [, size, plus] = /\{(\d+)(\+?)\}$/.exec(last) ?? [];
      if (size === undefined) return whole;
      if (plus === "" && !answer("LITERAL", "")) return null;
      const value = await wire.bytes(Number(size));
      last = await wire.line();
      whole += value + last;
    }
  };

  wire.write(greeting);
  for (;;) {
    const line = protocol === "imap" ? await literals(await wire.line()) : await wire.line();
    if (line === null) return;
    // A PROXY header is no command.
    if (line.startsWith("PROXY ")) continue;
    const words = line.split(" ");
    const [tag = "", command = ""] = protocol === "imap" ? words : ["", words[0]];
    const verb = command.toUpperCase();
    const goodbye = verb === "QUIT" || verb === "LOGOUT";
    const usual = goodbye ? GOODBYE[protocol] : agreement(protocol, line);
    if (!answer(verb, usual, tag) || goodbye) return;
  }
}

/** Short enough for nginx, which holds a reply in one buffer. */
function agreement(protocol: ProtocolName, whole: string): string {
  const line = whole.slice(0, 80);
  switch (protocol) {
    case "imap":
      return `TAG OK upstream heard ${line}\r\n`;
    case "pop3":
      return `+OK upstream heard ${line}\r\n`;
    case "smtp":
      return `250 2.0.0 upstream heard ${line}\r\n`;
  }
}
