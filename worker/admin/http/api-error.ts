/** Errors of the admin API. Each is a sentence that says what to do. */
import type { z } from "@hono/zod-openapi";
import { describe } from "../../log/log.ts";

type Status = 400 | 401 | 403 | 404 | 409 | 415;

export class ApiError extends Error {
  override name = "ApiError";
  readonly status: Status;

  constructor(status: Status, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

/** SQLite's messages about constraints, and the sentences that the caller gets for them. */
const CONSTRAINTS: readonly [RegExp, Status, (subject: string, detail: string) => string][] = [
  [/UNIQUE constraint failed/, 409, (subject) => `${subject} exists already; change or delete it`],
  [
    /CHECK constraint failed: (\w+)/,
    400,
    (subject, constraint) => `${subject} has a value that is not allowed (${constraint})`,
  ],
  [/too big|too large|SQLITE_TOOBIG/i, 400, (subject) => `${subject} is too large`],
];

/**
 * @param subject the row that was written: `user alice@example.test`
 * @returns null for an error that the caller did not cause
 */
export function constraintError(error: unknown, subject: string): ApiError | null {
  const text = describe(error);
  for (const [pattern, status, sentence] of CONSTRAINTS) {
    const match = pattern.exec(text);
    if (match !== null) return new ApiError(status, sentence(subject, match[1] ?? ""));
  }
  return null;
}

/** True where a row refers to a row that does not exist. */
export function isForeignKeyError(error: unknown): boolean {
  return describe(error).includes("FOREIGN KEY constraint failed");
}

/** A name may be repeated to the caller. Other text in its place may be a hash, from a shifted column of an import. */
const FIELD_NAME = /^\w{1,32}$/;

/** The problems of a request in one sentence: `policy: expected one of …; there is no field polici`. */
export function sentenceOf({ issues }: z.ZodError): string {
  const sentences = issues.map((issue) => {
    const at = issue.path.join(".");
    if (issue.code === "unrecognized_keys") {
      const names = issue.keys.map((key) => (FIELD_NAME.test(key) ? key : "of an unreadable name"));
      return `there is no field ${names.join(", ")} that can be given here`;
    }
    // Zod's messages begin with the class of the error, which callers do not need.
    const words = issue.message.endsWith("received undefined")
      ? "this field is missing"
      : issue.message.replace(/^Invalid (?:input|option): /, "");
    return at === "" ? words : `${at}: ${words}`;
  });
  return sentences.join("; ");
}
