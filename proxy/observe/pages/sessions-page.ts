/** All running sessions as one JSON document, written while the workers answer. */
import type { ListSessions, ListedSession } from "../live-session.ts";
import type { Page } from "./page-server.ts";

/** Escapes the control characters that JSON does not: a terminal may show the text. */
export function json(session: ListedSession): string {
  return JSON.stringify(session).replace(
    /[\x7f-\x9f]/g,
    (char) => `\\u00${char.charCodeAt(0).toString(16)}`,
  );
}

export function sessionsPage(list: ListSessions): Page {
  return { code: 200, type: "application/json", body: pieces(list) };
}

/** One session a line: `{"sessions":[…],"silent":[…]}`. `silent` lists workers that have not answered. */
async function* pieces(list: ListSessions): AsyncGenerator<string> {
  const silent: number[] = [];
  let before = '{"sessions":[\n';
  for await (const sessions of list((pid) => silent.push(pid))) {
    yield before + sessions.map(json).join(",\n");
    before = ",\n";
  }
  yield `${before === ",\n" ? "" : before}],"silent":${JSON.stringify(silent)}}\n`;
}
