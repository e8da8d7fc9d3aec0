// Commands on the selected mailbox: fetch, search, store, expunge.
import { fetchLine } from "./fetch.ts";
import { search } from "./search.ts";
import type { Commands, Session } from "./session.ts";
import { word, wordsOf, type Argument } from "./syntax.ts";
import type { View } from "./view.ts";

type By = "number" | "uid";

/** These answer with message numbers, or rely on them: none may change before they are done. */
export const keepsNumbers: ReadonlySet<string> = new Set(["FETCH", "STORE", "SEARCH"]);

export const selected: Commands = {
  CHECK: () => "OK done",
  FETCH: (session, args) => fetch(session, args, "number"),
  STORE: (session, args) => store(session, args, "number"),
  SEARCH: (session, args) => find(session, args, "number"),
  UID: (session, [verb, ...args]) => {
    switch (word(verb).toUpperCase()) {
      case "FETCH":
        return fetch(session, args, "uid");
      case "STORE":
        return store(session, args, "uid");
      case "SEARCH":
        return find(session, args, "uid");
      default:
        return "BAD unknown command";
    }
  },
  EXPUNGE: ({ view }) => {
    // The lines that tell the client follow before the completion, as after any command.
    if (view) expunge(view);
    return "OK done";
  },
  CLOSE: (session) => {
    if (session.view) expunge(session.view);
    session.view = undefined;
    return "OK done";
  },
  UNSELECT: (session) => {
    session.view = undefined;
    return "OK done";
  },
};

function fetch({ view, wire }: Session, [set, items]: readonly Argument[], by: By): string {
  if (!view) return "BAD nothing is selected";
  const asked = wordsOf(items);
  if (by === "uid" && !asked.some((item) => item.toUpperCase() === "UID")) asked.unshift("UID");
  for (const numbered of view.pick(word(set), by)) wire.write(fetchLine(view, numbered, asked));
  return "OK done";
}

function store({ view, wire }: Session, args: readonly Argument[], by: By): string {
  if (!view) return "BAD nothing is selected";
  if (view.readOnly) return "NO the mailbox is read-only";
  const [set, action, ...flags] = args;
  const [, sign, silent] = /^([+-]?)FLAGS(\.SILENT)?$/i.exec(word(action)) ?? [];
  if (sign === undefined) return "BAD expected FLAGS";
  const given = flags.flatMap(wordsOf);
  for (const numbered of view.pick(word(set), by)) {
    const kept = numbered.message.flags;
    if (sign === "") kept.clear();
    for (const flag of given)
      if (sign === "-") kept.delete(flag);
      else kept.add(flag);
    const shown = by === "uid" ? ["UID", "FLAGS"] : ["FLAGS"];
    if (!silent) wire.write(fetchLine(view, numbered, shown));
  }
  return "OK done";
}

function find({ view, wire }: Session, criteria: readonly Argument[], by: By): string {
  if (!view) return "BAD nothing is selected";
  const found = search(view, criteria);
  const numbers = found.map(({ number, message }) => (by === "uid" ? message.uid : number));
  wire.write(`${["* SEARCH", ...numbers].join(" ")}\r\n`);
  return "OK done";
}

function expunge(view: View): void {
  if (view.readOnly) return;
  const deleted = view.all().filter(({ message }) => message.flags.has("\\Deleted"));
  view.inbox.remove(new Set(deleted.map(({ message }) => message)));
}
