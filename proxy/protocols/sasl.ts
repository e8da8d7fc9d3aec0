/** SASL (RFC 4422): the mechanisms as exchanges of base64 lines, the same in all three protocols. */
import type { ByteString } from "../../shared/lookup.ts";

/** What a client showed to prove who it is. */
export interface Credentials {
  readonly method: "plain";
  readonly login: ByteString;
  readonly password: ByteString;
}

/** Yields challenges in base64, is resumed with responses in base64; null where a response made no sense. */
export type Exchange = Generator<string, Credentials | null, ByteString>;

type Mechanism = (initial?: ByteString) => Exchange;

/** nginx asks for both steps of LOGIN in these words. */
const USERNAME = "VXNlcm5hbWU6";
const PASSWORD = "UGFzc3dvcmQ6";

const MECHANISMS: ReadonlyMap<string, Mechanism> = new Map([
  ["PLAIN", plain],
  ["LOGIN", login],
]);

/** @param name in any case */
export function mechanism(name: ByteString): Mechanism | undefined {
  return MECHANISMS.get(name.toUpperCase());
}

/** RFC 4616: authorization identity (which nginx ignores) NUL login NUL password. */
function* plain(initial?: ByteString): Exchange {
  const message = decodeBase64(initial ?? (yield ""));
  const [, user, password, ...more] = message?.split("\0") ?? [];
  if (user === undefined || password === undefined || more.length > 0) return null;
  return credentials(user, password);
}

/** draft-murchison-sasl-login: two questions, two answers. */
function* login(initial?: ByteString): Exchange {
  const user = decodeBase64(initial ?? (yield USERNAME));
  if (user === null) return null;
  const password = decodeBase64(yield PASSWORD);
  return password === null ? null : credentials(user, password);
}

/**
 * Credentials that hold CR, LF or NUL are refused: they would become commands to an upstream, or lines in
 * a log (nginx passes them on).
 */
export function credentials(user: ByteString, password: ByteString): Credentials | null {
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  if (/[\r\n\0]/.test(user) || /[\r\n\0]/.test(password)) return null;
  return { method: "plain", login: user, password };
}

/** nginx's reading: what follows the first `=` is ignored, padding may be left out. */
export function decodeBase64(text: ByteString): ByteString | null {
  const [digits = ""] = text.split("=", 1);
  if (digits.length % 4 === 1 || !/^[A-Za-z0-9+/]*$/.test(digits)) return null;
  return Buffer.from(digits, "base64").toString("latin1");
}

export function encodeBase64(bytes: ByteString): string {
  return Buffer.from(bytes, "latin1").toString("base64");
}
