import type { AuthMethod } from "../../../shared/lookup.ts";
import { apop, cramMd5 } from "./digest.ts";
import { external } from "./external.ts";
import { oauth } from "./oauth.ts";
import { plain } from "./plain.ts";
import type { VerifierFactory } from "./verifier.ts";

export type { RefusedLookup, UnavailableLookup, MethodVerdict, Verified } from "./verdict.ts";
export { unavailable } from "./verdict.ts";
export type { ClientCertificate, MethodContext, ParsedCredentials, Verifier } from "./verifier.ts";

/** All methods but `none`, which is mail to a recipient without a login. */
export type LoginMethod = Exclude<AuthMethod, "none">;

export const VERIFIERS: Record<LoginMethod, VerifierFactory> = {
  plain,
  apop,
  "cram-md5": cramMd5,
  external,
  xoauth2: oauth("xoauth2"),
  oauthbearer: oauth("oauthbearer"),
};
