/** Ids of W3C Trace Context, cut from a pool of random bytes: a UUID for each id costs ten times as much. */
import { randomBytes } from "node:crypto";

/** Random bytes fetched at a time. */
const POOL = 4096;

/** Hexadecimal digits of a trace-id and of a parent-id. */
const TRACE_ID = 32;
const SPAN_ID = 16;

let pool = "";
let used = 0;

export function newTraceId(): string {
  return take(TRACE_ID);
}

export function newSpanId(): string {
  return take(SPAN_ID);
}

/** An id of zeros only would be invalid, and comes once in 2^64 ids. */
function take(digits: number): string {
  if (used + digits > pool.length) {
    pool = randomBytes(POOL).toString("hex");
    used = 0;
  }
  used += digits;
  return pool.slice(used - digits, used);
}
