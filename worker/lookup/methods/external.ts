/** EXTERNAL (RFC 4422 appendix A): the client's certificate is bound to the user. The caller has verified it. */
import { NOT_ENABLED, WRONG_CREDENTIALS } from "./verdict.ts";
import { isEnabled, refuseAll, type VerifierFactory } from "./verifier.ts";

export const external: VerifierFactory = (credentials) => {
  const { login, certificate } = credentials;
  if (certificate === null) return refuseAll(credentials);
  return {
    login,
    terms: { certificate },
    verify(entry) {
      if (entry === null || !entry.certified) return WRONG_CREDENTIALS;
      return isEnabled(entry, credentials) ? { kind: "verified", entry } : NOT_ENABLED;
    },
  };
};
