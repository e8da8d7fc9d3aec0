/** XOAUTH2 and OAUTHBEARER: a provider's token says who the client is. */
import { normalAddress } from "../../directory/address.ts";
import { type Entry, ownerOf } from "../../directory/users.ts";
import { logWarningOnce } from "../../log.ts";
import { challengeOf, type Finding } from "../../oauth/index.ts";
import type { LookupRequest } from "../parse.ts";
import type { Resources } from "../resources.ts";
import { isEnabled, type Method, NOT_ENABLED, refuseAll, type Verified, WRONG } from "./method.ts";

export function oauth(method: "xoauth2" | "oauthbearer"): Method {
  return async (request, resources) => {
    const tokens = resources.tokens();
    if (tokens === null) {
      logWarningOnce("XOAUTH2 and OAUTHBEARER are refused: set OAUTH_PROVIDERS");
      return refuseAll(request);
    }
    // OAUTHBEARER may leave it to the token who wants in. Otherwise no provider is asked about the tokens
    // of clients that are turned away.
    const early = request.login === "" ? await tokens.find(request.proof) : null;
    return {
      login: early?.kind === "valid" ? early.address : request.login,
      async verify(entry) {
        const finding = early ?? (await tokens.find(request.proof));
        const verified = await judge(finding, entry, request, resources);
        if (verified.kind !== "refused") return verified;
        return { ...verified, challenge: challengeOf(method, tokens.provider) };
      },
    };
  };
}

async function judge(
  finding: Finding,
  entry: Entry | null,
  request: LookupRequest,
  resources: Resources,
): Promise<Verified> {
  if (finding.kind === "unavailable") return finding;
  if (finding.kind === "invalid") return finding.authentic ? NOT_ENABLED : WRONG;
  if (!(await isFor(finding.address, entry, request, resources))) return WRONG;
  if (entry === null || !isEnabled(entry, request)) return NOT_ENABLED;
  return { kind: "proved", entry, until: finding.expires };
}

/** Whether a token's address is the login, or both are names of one user. */
async function isFor(
  claimed: string,
  entry: Entry | null,
  { login }: LookupRequest,
  { directory, addresses }: Resources,
): Promise<boolean> {
  const address = normalAddress(claimed, addresses);
  if (login === "" || normalAddress(login, addresses) === address) return true;
  if (entry === null) return false;
  const { user } = entry;
  return user.address === address || (await ownerOf(directory, address)) === user.address;
}
