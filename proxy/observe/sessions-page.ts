/** The sessions that there are, as one JSON document, written as they come in. */
import type { ListSessions } from "./live-session.ts";
import type { Page } from "./page-server.ts";

export function sessionsPage(list: ListSessions): Page {
  return { code: 200, type: "application/json", body: pieces(list) };
}

/** A session a line: `{"sessions":[…],"silent":[…]}`, the last being workers that have not answered. */
async function* pieces(list: ListSessions): AsyncGenerator<string> {
  const silent: number[] = [];
  let before = '{"sessions":[\n';
  for await (const sessions of list((pid) => silent.push(pid))) {
    yield before + sessions.map((session) => JSON.stringify(session)).join(",\n");
    before = ",\n";
  }
  yield `${before === ",\n" ? "" : before}],"silent":${JSON.stringify(silent)}}\n`;
}
