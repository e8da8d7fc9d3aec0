/** SASL as a client (RFC 4422): how an account proves itself to an upstream. */
import type { ByteString } from "../../shared/lookup.ts";
import type { Command } from "../transport/index.ts";
import { type Bearer, formatOauthbearer, formatXoauth2 } from "./oauth.ts";
import type { Account, LoginPart } from "./protocol.ts";
import { encodeBase64 } from "./sasl.ts";

export interface SaslResponse {
  /** As upstreams list it. */
  readonly mechanism: string;
  /** What is said, one after another, in base64. */
  readonly responses: readonly [string, ...string[]];
  /** Whether the client speaks first. */
  readonly initial: boolean;
}

/** An account with something to authenticate it by. */
export type PasswordAccount = Account & { readonly password: ByteString };

/**
 * The best of the mechanisms that an upstream offers; a bearer token is a password to those that know
 * nothing of tokens. CRAM-MD5 is not among them: who keeps passwords for it keeps them readable, and where
 * it would hide one from listeners, TLS does better.
 *
 * @param offered in capitals
 */
export function chooseResponse(
  account: PasswordAccount,
  offered: ReadonlySet<string>,
): SaslResponse | null {
  const { login, password } = account;
  const choices = [
    ...bearers(account),
    plain(account),
    { mechanism: "LOGIN", responses: encoded(login, password), initial: false },
  ];
  return choices.find(({ mechanism }) => offered.has(mechanism)) ?? null;
}

/** RFC 4616. */
export function plain({ login, password }: PasswordAccount): SaslResponse {
  return { mechanism: "PLAIN", responses: encoded(`\0${login}\0${password}`), initial: true };
}

/**
 * The client's own mechanism first. The second response is for the upstream's account of a failure: it
 * dismisses it (RFC 7628 section 3.2.3, Google's XOAUTH2), and the refusal follows.
 */
function bearers({ login, password, bearer }: PasswordAccount): readonly SaslResponse[] {
  if (bearer === null) return [];
  const shown: Bearer = { user: login, token: password };
  const xoauth2 = encoded(formatXoauth2(shown), "");
  const oauthbearer = encoded(formatOauthbearer(shown), "\u0001");
  const both: readonly SaslResponse[] = [
    { mechanism: "XOAUTH2", responses: xoauth2, initial: true },
    { mechanism: "OAUTHBEARER", responses: oauthbearer, initial: true },
  ];
  return bearer === "xoauth2" ? both : both.toReversed();
}

function encoded(first: ByteString, ...more: readonly ByteString[]): [string, ...string[]] {
  return [encodeBase64(first), ...more.map(encodeBase64)];
}

/** How a protocol carries SASL. */
export interface SaslProfile<Reply> {
  /** What stands before the mechanism. */
  readonly command: ByteString;
  /** The command in nginx's words, or in words like them. */
  readonly name: string;
  /** Bytes of a line that may hold the first response too. */
  readonly longest: number;
  ask(saying: Command): LoginPart<Reply>;
  /** Whether a reply is a challenge. */
  challenges(reply: Reply): boolean;
}

/** @returns the reply that is not a challenge, or one to which there is nothing to say */
export function* saslAuthenticate<Reply>(
  response: SaslResponse,
  profile: SaslProfile<Reply>,
): LoginPart<Reply> {
  const { name } = profile;
  const command = `${profile.command} ${response.mechanism}`;
  const [first, ...later] = response.responses;
  const whole = `${command} ${first}\r\n`;
  const together = response.initial && whole.length <= profile.longest;
  let reply = yield* profile.ask({ text: together ? whole : `${command}\r\n`, name });
  for (const text of together ? later : response.responses) {
    if (!profile.challenges(reply)) break;
    reply = yield* profile.ask({ text: `${text}\r\n`, name });
  }
  return reply;
}
