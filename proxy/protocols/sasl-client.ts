/** SASL as a client (RFC 4422): how an account is authenticated at an upstream. */
import type { ByteString } from "../../shared/lookup.ts";
import type { Script } from "../transport/index.ts";
import { formatOauthbearer, formatXoauth2 } from "./oauth.ts";
import type { Account } from "./protocol.ts";
import type { Reply, ReplyReader } from "./reply-reader.ts";
import { encodeBase64 } from "./sasl.ts";

type Mechanism = "PLAIN" | "LOGIN" | "XOAUTH2" | "OAUTHBEARER";

export interface SaslResponse {
  /** As upstreams list it. */
  readonly mechanism: Mechanism;
  /** The client's messages in base64, one after another. */
  readonly messages: readonly [string, ...string[]];
  /** True where the client speaks first. */
  readonly clientFirst: boolean;
}

/** An account with a secret to authenticate by. */
export type PasswordAccount = Account & { readonly password: ByteString };

/**
 * Mechanisms in the order of preference. A bearer token goes by the client's own mechanism first, and is a
 * password to upstreams without either. CRAM-MD5 is not used: a server needs readable passwords for it, and
 * TLS hides a password better.
 */
const PREFERENCE = {
  password: ["PLAIN", "LOGIN"],
  xoauth2: ["XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN"],
  oauthbearer: ["OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"],
} as const satisfies Record<string, readonly Mechanism[]>;

/** @param offered by the upstream, in capitals */
export function chooseResponse(
  account: PasswordAccount,
  offered: ReadonlySet<string>,
): SaslResponse | null {
  const mechanism = PREFERENCE[account.bearer ?? "password"].find((each) => offered.has(each));
  return mechanism === undefined ? null : responseOf(account, mechanism);
}

/**
 * The second message of a bearer mechanism answers the upstream's error (RFC 7628 section 3.2.3, Google's
 * XOAUTH2). The upstream refuses the login after it.
 */
export function responseOf(account: PasswordAccount, mechanism: Mechanism): SaslResponse {
  const { login, password } = account;
  const bearer = { user: login, token: password };
  switch (mechanism) {
    // RFC 4616.
    case "PLAIN":
      return { mechanism, messages: [encodeBase64(`\0${login}\0${password}`)], clientFirst: true };
    case "LOGIN": {
      const messages = [encodeBase64(login), encodeBase64(password)] as const;
      return { mechanism, messages, clientFirst: false };
    }
    case "XOAUTH2":
      return { mechanism, messages: [encodeBase64(formatXoauth2(bearer)), ""], clientFirst: true };
    case "OAUTHBEARER": {
      const messages = [encodeBase64(formatOauthbearer(bearer)), encodeBase64("\u0001")] as const;
      return { mechanism, messages, clientFirst: true };
    }
  }
}

/** The profile by which a protocol carries SASL (RFC 4422 section 4). */
export interface SaslProfile {
  /** The words before the mechanism. */
  readonly command: ByteString;
  /** The command's name in the log, in nginx's style. */
  readonly name: string;
  /** Bytes of a command line that carries the first message too. */
  readonly maxLine: number;
  /** @param line the last line of a reply */
  readonly isChallenge: (line: ByteString) => boolean;
}

/** @returns the first reply that is not a challenge, or a challenge after the last message */
export function* saslAuthenticate(
  replies: ReplyReader,
  { mechanism, messages, clientFirst }: SaslResponse,
  { command, name, maxLine, isChallenge }: SaslProfile,
): Script<Reply> {
  const [first, ...later] = messages;
  const whole = `${command} ${mechanism} ${first}\r\n`;
  const together = clientFirst && whole.length <= maxLine;
  let reply = yield* replies.reply({
    text: together ? whole : `${command} ${mechanism}\r\n`,
    name,
  });
  for (const message of together ? later : messages) {
    if (!isChallenge(reply.last)) break;
    reply = yield* replies.reply({ text: `${message}\r\n`, name });
  }
  return reply;
}
