import type { AuthMethod } from "../../shared/lookup.ts";
import type { Entry } from "../directory/users.ts";
import type { PasswordScheme } from "../passwords/scheme.ts";
import { spendVerification, verifyPassword } from "../passwords/verify.ts";
import type { Refused, Unavailable } from "./outcome.ts";
import type { LookupRequest } from "./request.ts";

/** The client is this user, who may log in by this protocol. */
export interface Proved {
  readonly kind: "proved";
  readonly entry: Entry;
}

type Verified = Proved | Refused | Unavailable;

/**
 * @param entry the user whom the request names; null if there is none
 * @param schemes in which passwords may be stored
 */
export type Verify = (
  request: LookupRequest,
  entry: Entry | null,
  schemes: readonly PasswordScheme[],
) => Verified | Promise<Verified>;

/** With `none`, nobody logs in. */
export type LoginMethod = Exclude<AuthMethod, "none">;

const WRONG: Refused = { kind: "refused", reason: "wrong-credentials" };
const NOT_ENABLED: Refused = { kind: "refused", reason: "not-enabled" };
const BUSY: Unavailable = { kind: "unavailable", reason: "too many passwords wait to be verified" };

/** How each method of authentication is verified; those that we cannot verify are refused. */
export const METHODS: Record<LoginMethod, Verify> = {
  plain: verifyPlain,
  apop: () => NOT_ENABLED,
  "cram-md5": () => NOT_ENABLED,
  external: () => NOT_ENABLED,
  xoauth2: () => NOT_ENABLED,
  oauthbearer: () => NOT_ENABLED,
};

async function verifyPlain(
  { proof, protocol }: LookupRequest,
  entry: Entry | null,
  schemes: readonly PasswordScheme[],
): Promise<Verified> {
  if (entry === null || !entry.user.enabled || !entry.user[protocol]) {
    if ((await spendVerification(proof)) === "busy") return BUSY;
    return entry === null ? WRONG : NOT_ENABLED;
  }
  const { address, passwordHash } = entry.user;
  switch (await verifyPassword(proof, passwordHash, schemes)) {
    case "right":
      return { kind: "proved", entry };
    case "wrong":
      return WRONG;
    case "busy":
      return BUSY;
    case "unreadable":
      return { kind: "unavailable", reason: `the password hash of ${address} cannot be read` };
  }
}
