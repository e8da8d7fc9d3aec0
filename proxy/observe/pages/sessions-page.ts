/** All running sessions as one JSON document, written while the workers answer. */
import { printableJson } from "../line.ts";
import type { ListSessions, ListedSession } from "../live-session.ts";
import type { Page } from "./page-server.ts";

/** A terminal may show the text, so it holds no control character. */
export function json(session: ListedSession): string {
  return printableJson(JSON.stringify(session));
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
