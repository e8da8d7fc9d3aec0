/** Messages with a bearer token (RFC 6750): Google's XOAUTH2, and OAUTHBEARER (RFC 7628). */
import type { ByteString } from "../../shared/lookup.ts";

/** A user with a bearer token. */
export interface Bearer {
  /** Empty where OAUTHBEARER leaves it to the token. */
  readonly user: ByteString;
  readonly token: ByteString;
}

const SEPARATOR = "\u0001";

/** RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1). */
const AUTHORIZATION = /^auth=bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * `user=USER ^A auth=Bearer TOKEN ^A ^A`
 * (https://developers.google.com/workspace/gmail/imap/xoauth2-protocol).
 *
 * @returns null for anything else
 */
export function parseXoauth2(message: ByteString): Bearer | null {
  const [user = "", authorization = "", ...end] = message.split(SEPARATOR);
  const [, token] = AUTHORIZATION.exec(authorization) ?? [];
  if (token === undefined || !/^user=./s.test(user) || end.join("|") !== "|") return null;
  return { user: user.slice("user=".length), token };
}

export function formatXoauth2({ user, token }: Bearer): ByteString {
  return [`user=${user}`, `auth=Bearer ${token}`, "", ""].join(SEPARATOR);
}

/**
 * `n,a=USER, ^A host=HOST ^A port=PORT ^A auth=Bearer TOKEN ^A ^A`; all but the token may be missing.
 *
 * @returns null for anything else, and for channel binding, which bearer tokens do not support
 */
export function parseOauthbearer(message: ByteString): Bearer | null {
  const [header = "", ...fields] = message.split(SEPARATOR);
  // RFC 5801 section 4.
  const [whole, name = ""] = /^[ny],(?:a=([^,]*))?,$/.exec(header) ?? [];
  const user = unescapeName(name);
  const ends = fields.splice(-2).join("|") === "|";
  if (whole === undefined || user === null || !ends) return null;
  const tokens = fields.flatMap((field) => AUTHORIZATION.exec(field)?.[1] ?? []);
  const [token, ...more] = tokens;
  return token === undefined || more.length > 0 ? null : { user, token };
}

export function formatOauthbearer({ user, token }: Bearer): ByteString {
  const name = user.replaceAll("=", "=3D").replaceAll(",", "=2C");
  const header = user === "" ? "n,," : `n,a=${name},`;
  return [header, `auth=Bearer ${token}`, "", ""].join(SEPARATOR);
}

/** RFC 5801 section 4: `=2C` is a comma and `=3D` an equals sign; no other `=` may stand there. */
function unescapeName(name: ByteString): ByteString | null {
  if (/=(?!2C|3D)/.test(name)) return null;
  return name.replaceAll("=2C", ",").replaceAll("=3D", "=");
}
