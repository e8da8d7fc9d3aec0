/**
 * Verifies bearer tokens (RFC 6750) of the providers that the operator trusts. Logs and error messages never
 * contain a token.
 */
export { challengeFor } from "./challenge.ts";
export { vouchesFor } from "./claims.ts";
export { readProviders } from "./providers.ts";
export { TokenVerifier } from "./verifier.ts";
export type { TokenResult } from "./token-result.ts";
