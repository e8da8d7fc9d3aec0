import type { AuthMethod } from "../../shared/lookup.ts";
import type { Entry } from "../directory/users.ts";
import { spendVerification, verifyPassword } from "../passwords/verify.ts";
import type { Refused, Unavailable } from "./outcome.ts";
import type { LookupRequest } from "./request.ts";

/** The client is this user, who may log in by this protocol. */
export interface Proved {
  readonly kind: "proved";
  readonly entry: Entry;
}

/** @param entry the user whom the request names; null if there is none */
export type Verify = (
  request: LookupRequest,
  entry: Entry | null,
) => Proved | Refused | Unavailable;

/** With `none`, nobody logs in. */
export type LoginMethod = Exclude<AuthMethod, "none">;

const WRONG: Refused = { kind: "refused", reason: "wrong-credentials" };
const NOT_ENABLED: Refused = { kind: "refused", reason: "not-enabled" };

/** How each method of authentication is verified; those that we cannot verify are refused. */
export const METHODS: Record<LoginMethod, Verify> = {
  plain: verifyPlain,
  apop: () => NOT_ENABLED,
  "cram-md5": () => NOT_ENABLED,
  external: () => NOT_ENABLED,
  xoauth2: () => NOT_ENABLED,
  oauthbearer: () => NOT_ENABLED,
};

function verifyPlain({ proof, protocol }: LookupRequest, entry: Entry | null): ReturnType<Verify> {
  if (entry === null || !entry.user.enabled || !entry.user[protocol]) {
    spendVerification(proof);
    return entry === null ? WRONG : NOT_ENABLED;
  }
  const { address, passwordHash } = entry.user;
  const verdict = verifyPassword(proof, passwordHash);
  if (verdict === "right") return { kind: "proved", entry };
  if (verdict === "wrong") return WRONG;
  return { kind: "unavailable", reason: `the password hash of ${address} cannot be read` };
}
