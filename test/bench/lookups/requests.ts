// The lookups of the benchmark, over a socket.
import { escapeValue } from "../../../shared/lookup.ts";
import { type RawAnswer, RawCaller, type RawRequest } from "../../support/http/raw-http-client.ts";

/** Fewer than the passwords that may wait to be verified. */
const CALLERS = 8;

type Fields = Readonly<Record<string, string>>;

const COMMON: Fields = { "X-Auth-Key": "development", "Client-IP": "192.0.2.1" };

export function login(user: string, password: string, changes: Fields = {}): RawRequest {
  return request({
    "Auth-Method": "plain",
    "Auth-User": user,
    "Auth-Pass": escapeValue(password, true),
    "Auth-Protocol": "imap",
    ...changes,
  });
}

export function delivery(recipient: string): RawRequest {
  return request({
    "Auth-Method": "none",
    "Auth-User": "",
    "Auth-Pass": "",
    "Auth-Protocol": "smtp",
    "Auth-SMTP-To": `RCPT TO:<${recipient}>`,
  });
}

function request(fields: Fields): RawRequest {
  return { method: "GET", target: "/auth", fields: Object.entries({ ...COMMON, ...fields }) };
}

export interface Timing {
  /** ms that all of them took together. */
  readonly span: number;
  /** ms that each of them took. */
  readonly times: readonly number[];
}

/**
 * Asks these, by several callers at once unless told otherwise, and times it.
 *
 * @throws Error at an answer that does not begin so
 */
export async function time(
  url: string,
  requests: Iterable<RawRequest>,
  wanted: string,
  callers = CALLERS,
): Promise<Timing> {
  const waiting = requests[Symbol.iterator]();
  const times: number[] = [];
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      const caller = new RawCaller(url);
      for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
        const start = performance.now();
        const answer = await caller.ask(next.value);
        times.push(performance.now() - start);
        check(answer, wanted);
      }
      caller.close();
    }),
  );
  return { span: performance.now() - begin, times };
}

function check({ status, headers }: RawAnswer, wanted: string): void {
  const told = `${status} ${headers["auth-status"] ?? ""}`;
  if (!told.startsWith(wanted)) throw new Error(`${wanted} was expected, and ${told} came`);
}
