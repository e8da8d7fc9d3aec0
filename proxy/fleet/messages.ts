/** Reads the messages of the worker, which may be newer than this proxy. */
import { MAX_NAME_LENGTH, MAX_NAMES, type FleetMessage } from "../../shared/fleet.ts";
import { isBookmark, readUserVersion } from "../../shared/user-version.ts";

/** Characters. */
const LONGEST_MESSAGE = 64 * 1024;

export type Message =
  | FleetMessage
  /** A kind that only newer versions know. */
  | { readonly kind: "unknown" };

/** @returns null for data that no version of the worker sends */
export function readMessage(data: unknown): Message | null {
  if (typeof data !== "string" || data.length > LONGEST_MESSAGE) return null;
  const message = parse(data);
  if (typeof message !== "object" || message === null || !("kind" in message)) return null;
  switch (message.kind) {
    case "kick":
      return readKick(message);
    case "heard":
      return readHeard(message);
    default:
      return typeof message.kind === "string" ? { kind: "unknown" } : null;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Leaves out names by which no user can be logged in. */
function readKick(message: object): Message | null {
  const number = "number" in message ? message.number : null;
  const names: unknown = "names" in message ? message.names : null;
  if (!isCount(number) || !Array.isArray(names)) return null;
  const some: readonly unknown[] = names;
  const bookmark: unknown = "bookmark" in message ? message.bookmark : null;
  return {
    kind: "kick",
    number,
    names: some.filter(isName).slice(0, MAX_NAMES),
    user: "user" in message ? readUserVersion(message.user) : null,
    bookmark: isBookmark(bookmark) ? bookmark : null,
  };
}

function readHeard(message: object): Message | null {
  const last = "last" in message ? message.last : null;
  const complete = "complete" in message ? message.complete : null;
  if (!isCount(last) || typeof complete !== "boolean") return null;
  return { kind: "heard", last, complete };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_NAME_LENGTH && /^\P{Cc}+$/u.test(value);
}
