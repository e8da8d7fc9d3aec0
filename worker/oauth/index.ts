/**
 * Bearer tokens (RFC 6750): who is it that a token speaks of, according to the providers that the
 * operator trusts. No token is ever logged, or part of an error's message.
 */
export { challengeOf } from "./challenge.ts";
export { readProviders } from "./providers.ts";
export { Tokens } from "./verifier.ts";
export type { Finding } from "./token-result.ts";
