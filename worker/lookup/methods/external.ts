/** EXTERNAL (RFC 4422 appendix A): the client has shown a certificate, which the caller has verified. */
import { isEnabled, type Method, NOT_ENABLED, refuseAll, WRONG } from "./method.ts";

export const external: Method = (request) => {
  const { login, certificate } = request;
  if (certificate === null) return refuseAll(request);
  return {
    login,
    presented: { certificate },
    verify(entry) {
      if (entry === null || !entry.certified) return WRONG;
      return isEnabled(entry, request) ? { kind: "proved", entry } : NOT_ENABLED;
    },
  };
};
