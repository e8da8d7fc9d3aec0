// Finds the end of a reply, so that the client knows when to send its next command.
import type { ProtocolName } from "../../../shared/lookup.ts";

/** The length of the first whole reply in the text, or 0 where there is none yet. */
export function replyLength(protocol: ProtocolName, text: string): number {
  const many = protocol === "pop3" && /^\+OK [^\r\n]+(?:follows|supported:)\r\n/.test(text);
  for (let start = 0; ;) {
    const end = text.indexOf("\n", start) + 1;
    if (end === 0) return 0;
    if (isLast(protocol, text.slice(start, end), many)) return end;
    start = end;
  }
}

function isLast(protocol: ProtocolName, line: string, many: boolean): boolean {
  switch (protocol) {
    case "smtp":
      return line[3] !== "-";
    case "pop3":
      return !many || line === ".\r\n";
    case "imap":
      return !line.startsWith("* ") || /^\* (?:OK|NO|BAD|PREAUTH)\b/.test(line);
  }
}
