// SEARCH: a message either meets every criterion or is not found.
import { field } from "../mime.ts";
import { inSet, word, type Argument } from "./syntax.ts";
import type { Numbered, View } from "./view.ts";

type Test = (numbered: Numbered) => boolean;

export function search(view: View, criteria: readonly Argument[]): Numbered[] {
  const all = view.all();
  const rest = [...criteria];
  if (word(rest[0]).toUpperCase() === "CHARSET") rest.splice(0, 2);
  const tests: Test[] = [];
  while (rest.length > 0) tests.push(next(rest, all));
  return all.filter((numbered) => tests.every((test) => test(numbered)));
}

const flags: Record<string, string> = {
  SEEN: "\\Seen",
  ANSWERED: "\\Answered",
  FLAGGED: "\\Flagged",
  DELETED: "\\Deleted",
  DRAFT: "\\Draft",
};

/** Takes one criterion off the front of `rest`. */
function next(rest: Argument[], all: readonly Numbered[]): Test {
  const first = rest.shift() ?? "ALL";
  if (typeof first !== "string") {
    const inner = [...first];
    const tests: Test[] = [];
    while (inner.length > 0) tests.push(next(inner, all));
    return (numbered) => tests.every((test) => test(numbered));
  }
  const key = first.toUpperCase();
  if (/^[\d*]/.test(key)) return ({ number }) => inSet(key, number, all.length);
  const flag = flags[key] ?? flags[key.replace(/^UN/, "")];
  if (flag) return ({ message }) => message.flags.has(flag) === key in flags;
  return withArgument(key, rest, all);
}

function withArgument(key: string, rest: Argument[], all: readonly Numbered[]): Test {
  switch (key) {
    case "ALL":
      return () => true;
    case "NOT": {
      const test = next(rest, all);
      return (numbered) => !test(numbered);
    }
    case "OR": {
      const [left, right] = [next(rest, all), next(rest, all)];
      return (numbered) => left(numbered) || right(numbered);
    }
    case "UID": {
      const set = word(rest.shift());
      return ({ message }) => inSet(set, message.uid, all.at(-1)?.message.uid ?? 0);
    }
    case "FROM":
    case "TO":
    case "CC":
    case "SUBJECT":
      return holds(key, word(rest.shift()));
    case "HEADER":
      return holds(word(rest.shift()), word(rest.shift()));
    case "TEXT":
    case "BODY": {
      const text = word(rest.shift()).toLowerCase();
      return ({ message }) => message.content.toLowerCase().includes(text);
    }
    default:
      throw new SyntaxError(`SEARCH ${key} is not supported`);
  }
}

function holds(name: string, text: string): Test {
  return ({ message }) =>
    field(message.content, name)?.toLowerCase().includes(text.toLowerCase()) ?? false;
}
