/** XOAUTH2 and OAUTHBEARER: a provider's token names the user. */
import { normalAddress } from "../../directory/address.ts";
import { ownerOf, type UserEntry } from "../../directory/users.ts";
import { logWarningOnce } from "../../log/log.ts";
import { challengeFor, type TokenResult, vouchesFor } from "../../oauth/index.ts";
import { NOT_ENABLED, type MethodVerdict, unavailable, WRONG_CREDENTIALS } from "./verdict.ts";
import {
  isEnabled,
  type MethodContext,
  type ParsedCredentials,
  refuseAll,
  type VerifierFactory,
} from "./verifier.ts";

export function oauth(method: "xoauth2" | "oauthbearer"): VerifierFactory {
  return async (credentials, context) => {
    const tokens = context.tokens();
    if (tokens === null) {
      logWarningOnce("XOAUTH2 and OAUTHBEARER are refused: set OAUTH_PROVIDERS");
      return refuseAll(credentials);
    }
    const { login, proof } = credentials;
    // An OAUTHBEARER client may send no login name. Only then is the token verified first: otherwise a blocked
    // client would cost the provider a request.
    const early = login === "" ? await tokens.verify(proof) : null;
    return {
      login: early?.kind === "valid" ? early.address : login,
      async verify(entry) {
        const result = early ?? (await tokens.verify(proof));
        const verification = await verifyUser(result, entry, credentials, context);
        if (verification.kind !== "refused") return verification;
        return { ...verification, challenge: challengeFor(method, tokens.provider) };
      },
    };
  };
}

async function verifyUser(
  result: TokenResult,
  entry: UserEntry | null,
  credentials: ParsedCredentials,
  context: MethodContext,
): Promise<MethodVerdict> {
  if (result.kind === "unavailable") return unavailable("service", result.reason);
  if (result.kind === "invalid") return result.authentic ? NOT_ENABLED : WRONG_CREDENTIALS;
  if (!(await isFor(result.address, entry, credentials, context))) return WRONG_CREDENTIALS;
  if (entry === null || !isEnabled(entry, credentials)) return NOT_ENABLED;
  // An alias in the provider's domain does not open a mailbox of another domain.
  if (!vouchesFor(result.domains, entry.user.address)) return NOT_ENABLED;
  return { kind: "verified", entry, expires: result.expires };
}

/** True if a token's address is the login name, or if both belong to one user. */
async function isFor(
  address: string,
  entry: UserEntry | null,
  { login }: ParsedCredentials,
  { directory, addresses }: MethodContext,
): Promise<boolean> {
  if (login === "" || normalAddress(login, addresses) === address) return true;
  if (entry === null) return false;
  const { user } = entry;
  return user.address === address || (await ownerOf(directory, address)) === user.address;
}
